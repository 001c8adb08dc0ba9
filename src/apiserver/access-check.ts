// Asks the authorizer and throws its refusal as the 403 that clients know.
import type { AccessAttributes, Authorizer } from '#api/meta/access.ts';
import { denial } from './authz/denial.ts';

export function checkAccess(authorize: Authorizer, attributes: AccessAttributes): void {
  const { decision, reason } = authorize(attributes);
  if (decision !== 'allow') throw denial(attributes, reason);
}
