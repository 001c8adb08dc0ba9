// What a request is about, read off its method and path as upstream reads it: authorisation and audit rely on the same answer.
import { badRequest } from '#api/meta/errors.ts';
import { parseFieldSelector } from '#api/meta/field-selector.ts';
import { booleanOf } from './endpoints/list-options.ts';
import type { RequestInfo } from './request.ts';

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const namespaceSubresources = new Set(['status', 'finalize']);

export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = path.split('/').filter((part) => part !== '');
  const address = addressOf(parts);
  if (address === undefined) return pathInfo(method, path);
  let rest = address.rest.map(decode);
  const info = { ...pathInfo(method, path), isResourceRequest: true, group: address.group, version: address.version };
  info.verb = verbs[method] ?? '';
  if (rest[0] === 'watch' && rest.length > 1) {
    info.verb = 'watch';
    rest = rest.slice(1);
  }
  if (rest[0] === 'namespaces' && rest.length > 1) {
    info.namespace = rest[1]!;
    if (rest.length > 2 && !namespaceSubresources.has(rest[2]!)) rest = rest.slice(2);
  }
  const [resource = '', name = '', subresource = ''] = rest;
  Object.assign(info, { resource, name, subresource });
  if (name === '') collectionVerb(info, query);
  return info;
}

/** Undefined: not a path of a resource. */
function addressOf(parts: string[]): { group: string; version: string; rest: string[] } | undefined {
  if (parts[0] === 'api' && parts.length >= 3) return { group: '', version: parts[1]!, rest: parts.slice(2) };
  if (parts[0] === 'apis' && parts.length >= 4) return { group: parts[1]!, version: parts[2]!, rest: parts.slice(3) };
  return undefined;
}

function pathInfo(method: string, path: string): RequestInfo {
  const verb = method.toLowerCase();
  return { isResourceRequest: false, path, verb, group: '', version: '', namespace: '', resource: '', subresource: '', name: '' };
}

function collectionVerb(info: RequestInfo, query: URLSearchParams): void {
  if (info.verb === 'delete') info.verb = 'deletecollection';
  if (info.verb === 'get') info.verb = booleanOf(query, 'watch') ? 'watch' : 'list';
  if (info.verb !== 'list' && info.verb !== 'watch' && info.verb !== 'deletecollection') return;
  // Whoever may read one object by name may list and watch that one.
  info.name = selectedName(query.get('fieldSelector') ?? undefined);
}

/** The one name that a field selector asks for; empty where it asks for more. */
export function selectedName(selector: string | undefined): string {
  if (selector?.includes('metadata.name') !== true) return '';
  try {
    return parseFieldSelector(selector).requiredValue('metadata.name') ?? '';
  } catch {
    // The endpoint refuses the selector in its own words.
    return '';
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest(`invalid URL escape in ${JSON.stringify(part)}`);
  }
}
