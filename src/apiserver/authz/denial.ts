// The 403 for a request that nobody allowed, in upstream's words; clients and people read them.
import type { AccessAttributes } from '#api/meta/access.ts';
import { type ApiError, forbidden } from '#api/meta/errors.ts';

export function denial(attributes: AccessAttributes, reason: string): ApiError {
  const text = describeAttempt(attributes);
  const resource = attributes.isResourceRequest ? { group: attributes.group, plural: attributes.resource } : { group: '', plural: '' };
  return forbidden(resource, attributes.isResourceRequest ? attributes.name : '', reason === '' ? text : `${text}: ${reason}`);
}

/** `User "jane" cannot list resource "pods" in API group "" in the namespace "default"` */
function describeAttempt(attributes: AccessAttributes): string {
  const { user, verb, group, namespace } = attributes;
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (!attributes.isResourceRequest) return `${who} path ${JSON.stringify(attributes.path)}`;
  const resource = attributes.subresource === '' ? attributes.resource : `${attributes.resource}/${attributes.subresource}`;
  const what = `${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(group)}`;
  return namespace === '' ? `${what} at the cluster scope` : `${what} in the namespace ${JSON.stringify(namespace)}`;
}
