// The options of lists and watches: read from a query or given in process, and refused in upstream's words.
import { badRequest, invalid } from '#api/meta/errors.ts';
import type { FieldError } from '#api/meta/field-errors.ts';
import { notAllowed, notSupported } from '#api/meta/field-errors.ts';

export interface ReadOptions {
  /** Empty: the latest. */
  resourceVersion: string;
  resourceVersionMatch: string;
  limit: number;
  continue: string;
  sendInitialEvents: boolean | undefined;
  allowWatchBookmarks: boolean;
  timeoutSeconds: number | undefined;
}

export function readOptionsOf(query: URLSearchParams): ReadOptions {
  return {
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: integerOf(query, 'limit') ?? 0,
    continue: query.get('continue') ?? '',
    sendInitialEvents: query.has('sendInitialEvents') ? booleanOf(query, 'sendInitialEvents') : undefined,
    allowWatchBookmarks: booleanOf(query, 'allowWatchBookmarks'),
    timeoutSeconds: integerOf(query, 'timeoutSeconds'),
  };
}

export function checkListOptions(options: ReadOptions): void {
  const match = options.resourceVersionMatch;
  const errors: FieldError[] = [];
  if (match !== '') {
    if (options.resourceVersion === '') {
      errors.push(notAllowed('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    }
    if (options.continue !== '') {
      errors.push(notAllowed('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'));
    }
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']));
    }
    if (match === 'Exact' && options.resourceVersion === '0') {
      errors.push(notAllowed('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(notAllowed('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  refuse(errors);
}

export function checkWatchOptions(options: ReadOptions): void {
  const match = options.resourceVersionMatch;
  const errors: FieldError[] = [];
  if (options.sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(notAllowed('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (match !== '') {
    if (options.sendInitialEvents === undefined) {
      errors.push(notAllowed('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
    }
    if (match !== 'NotOlderThan') errors.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']));
    if (options.continue !== '') {
      errors.push(notAllowed('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'));
    }
  }
  refuse(errors);
}

/** 0 for an unset or '0' version. */
export function parseResourceVersion(text: string): number {
  if (text === '') return 0;
  if (!/^[0-9]{1,15}$/.test(text)) {
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return Number(text);
}

function refuse(errors: FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
}

function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^[+-]?[0-9]{1,18}$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** As upstream reads flags in a query: given without a value is true, so is anything but false and 0. */
export function booleanOf(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text !== null && text.toLowerCase() !== 'false' && text !== '0';
}
