// The entries of metadata.managedFields: who they are told apart by, their order and number, and what to make of those that a client sends.
import type { ManagedFieldsEntry } from '../../generated/meta-v1.ts';
import { sameMembers, sameValue } from '../same-value.ts';
import type { FieldSet } from './field-set.ts';
import { FieldSetError, parseFieldSet, union } from './field-set.ts';

/** As stored: checked, in order, with paths that are never empty. */
export interface Entry extends ManagedFieldsEntry {
  /** Unset: a client that did not say what it is. */
  readonly manager?: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: FieldSet;
  readonly subresource?: string;
}

export interface Manager {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  /** Empty: the object itself. */
  subresource: string;
}

const maxUpdateEntries = 10;
const oldUpdates = 'ancient-changes';

/** In the order in which upstream writes the members. */
export function entryOf({ manager, operation, apiVersion, subresource }: Manager, fields: FieldSet, time: string | undefined): Entry {
  return {
    ...(manager !== '' && { manager }),
    operation,
    apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...(subresource !== '' && { subresource }),
  };
}

/** An applier stays the same whatever version it applies at. */
export function isEntryOf({ manager, operation, apiVersion, subresource }: Manager, entry: Entry): boolean {
  if ((entry.manager ?? '') !== manager || entry.operation !== operation || (entry.subresource ?? '') !== subresource) return false;
  return operation === 'Apply' || entry.apiVersion === apiVersion;
}

/** The entry with other paths; the entry itself if they are its own, undefined if there are none. */
export function withFields(entry: Entry, fields: FieldSet | undefined): Entry | undefined {
  if (fields === entry.fieldsV1) return entry;
  return fields && { ...entry, fieldsV1: fields };
}

/** What the server stored. */
export function storedEntries(metadata: { managedFields?: ManagedFieldsEntry[] }): readonly Entry[] {
  return (metadata.managedFields ?? []) as Entry[];
}

/**
 * The entries that a write starts from: those that the client sent, if it sent any that can be read, else the stored ones;
 * a client that does not know the field does not delete it. An empty list, or one empty entry, forgets them all.
 */
export function givenEntries(given: readonly ManagedFieldsEntry[] | undefined, stored: readonly Entry[]): readonly Entry[] {
  if (given === undefined || sameValue(given, stored)) return stored;
  if (given.length === 0 || (given.length === 1 && Object.keys(given[0]!).length === 0)) return [];
  try {
    const entries = given.map(parseEntry).filter((entry) => entry !== undefined);
    return entries.length > 0 ? inOrder(entries) : stored;
  } catch (error) {
    if (error instanceof FieldSetError) return stored;
    throw error;
  }
}

function parseEntry(given: ManagedFieldsEntry): Entry | undefined {
  const { operation, apiVersion, fieldsType } = given;
  if (operation !== 'Apply' && operation !== 'Update') throw new FieldSetError('operation must be `Apply` or `Update`');
  if (!apiVersion) throw new FieldSetError('apiVersion must not be empty');
  if (fieldsType !== 'FieldsV1') throw new FieldSetError('fieldsType must be `FieldsV1`');
  const fields = parseFieldSet(given.fieldsV1 ?? {});
  const identity = { manager: given.manager ?? '', operation, apiVersion, subresource: given.subresource ?? '' } as const;
  return fields && entryOf(identity, fields, given.time);
}

/** Appliers first, then by time and name. */
export function inOrder(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted(
    (a, b) =>
      compareTexts(a.operation, b.operation) ||
      compareTexts(a.time ?? '', b.time ?? '') ||
      compareTexts(a.manager ?? '', b.manager ?? '') ||
      compareTexts(a.apiVersion, b.apiVersion) ||
      compareTexts(a.subresource ?? '', b.subresource ?? ''),
  );
}

/** Whether nothing but the times differs: a write that changes nothing else is none. */
export function isSameButTimes(a: readonly ManagedFieldsEntry[] = [], b: readonly ManagedFieldsEntry[] = []): boolean {
  return a === b || (a.length === b.length && a.every((entry, position) => isSameEntry(entry, b[position]!)));
}

function isSameEntry(a: ManagedFieldsEntry, b: ManagedFieldsEntry): boolean {
  return a === b || sameMembers(a as Record<string, unknown>, b as Record<string, unknown>, ['time']);
}

/** At most ten entries of updates: the oldest ones become one for each version. */
export function withoutAncient(entries: readonly Entry[]): readonly Entry[] {
  let excess = entries.filter(({ operation }) => operation === 'Update').length - maxUpdateEntries;
  if (excess <= 0) return entries;
  const result = new Set(entries);
  const firstOf = new Map<string, Entry>();
  for (const entry of inOrder(entries)) {
    if (entry.operation !== 'Update' || excess <= 0) continue;
    const first = firstOf.get(entry.apiVersion);
    if (first === undefined) {
      firstOf.set(entry.apiVersion, entry);
      continue;
    }
    const identity = { manager: oldUpdates, operation: 'Update', apiVersion: entry.apiVersion, subresource: '' } as const;
    const bucket = entryOf(identity, union(first.fieldsV1, entry.fieldsV1)!, entry.time);
    result.delete(first);
    result.delete(entry);
    result.add(bucket);
    firstOf.set(entry.apiVersion, bucket);
    excess--;
  }
  return [...result];
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
