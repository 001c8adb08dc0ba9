// Impersonate-* headers: acting as somebody else, for whom each part of that identity is allowed one by one.
import type { AccessAttributes, Authorizer, UserInfo } from '#api/meta/access.ts';
import { internalError } from '#api/meta/errors.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
import { denial } from '../authz/denial.ts';

const extraPrefix = 'impersonate-extra-';
const accountPrefix = 'system:serviceaccount:';

/** The user to act as; undefined if the request asks for nothing of the kind. Throws 403 for what is not allowed. */
export function impersonate(request: HttpRequest, user: UserInfo, authorize: Authorizer): UserInfo | undefined {
  const { headers } = request;
  const name = headers['impersonate-user'] ?? '';
  const groups = listOf(headers['impersonate-group']);
  const uid = headers['impersonate-uid'] ?? '';
  const extra = extraOf(headers);
  if (name === '' && groups.length === 0 && uid === '' && extra.size === 0) return undefined;
  if (name === '')
    throw internalError(`requested [${[...groups, uid].filter((part) => part !== '').join(' ')}] without impersonating a user`);

  const account = serviceAccountOf(name);
  const check = (asked: Partial<AccessAttributes>) => {
    const attributes: AccessAttributes = { ...nothing, user, ...asked };
    const { decision, reason } = authorize(attributes);
    if (decision !== 'allow') throw denial(attributes, reason);
  };
  if (account) check({ resource: 'serviceaccounts', namespace: account.namespace, name: account.name });
  else check({ resource: 'users', name });
  for (const group of groups) check({ resource: 'groups', name: group });
  const identity = { group: 'authentication.k8s.io', version: 'v1' };
  for (const [key, values] of extra) {
    for (const value of values) check({ ...identity, resource: 'userextras', subresource: key, name: value });
  }
  if (uid !== '') check({ ...identity, resource: 'uids', name: uid });
  return {
    name,
    groups: completeGroups(name, groups, account),
    ...(uid !== '' && { uid }),
    ...(extra.size > 0 && { extra: Object.fromEntries(extra) }),
  };
}

const nothing: AccessAttributes = {
  user: { name: '', groups: [] },
  verb: 'impersonate',
  isResourceRequest: true,
  group: '',
  version: 'v1',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  path: '',
};

function completeGroups(name: string, groups: string[], account: { namespace: string } | undefined): string[] {
  const own = account && groups.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`] : groups;
  const added = name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated';
  return own.includes('system:unauthenticated') || own.includes('system:authenticated') ? own : [...own, added];
}

function serviceAccountOf(name: string): { namespace: string; name: string } | undefined {
  if (!name.startsWith(accountPrefix)) return undefined;
  const [namespace, account, ...rest] = name.slice(accountPrefix.length).split(':');
  return namespace && account && rest.length === 0 ? { namespace, name: account } : undefined;
}

function extraOf(headers: HttpRequest['headers']): Map<string, string[]> {
  const extra = new Map<string, string[]>();
  for (const header of Object.keys(headers)) {
    if (!header.startsWith(extraPrefix)) continue;
    extra.set(decode(header.slice(extraPrefix.length)), listOf(headers[header]));
  }
  return extra;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text).toLowerCase();
  } catch {
    return text;
  }
}

/** Repeated headers arrive joined: each part is checked by itself, so a comma in a name can only narrow what is asked. */
function listOf(header: string | undefined): string[] {
  return header === undefined || header === '' ? [] : header.split(', ');
}
