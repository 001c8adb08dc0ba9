// Who is asked, and in which order: superusers, then nodes, then what was plugged in (EKS access policies), then RBAC.
import type { AccessAttributes, AccessDecision, Authorizer } from '#api/meta/access.ts';

/** system:masters may do everything; upstream asks nobody else either. */
export const authorizeSuperuser: Authorizer = ({ user }) =>
  user.groups.includes('system:masters') ? { decision: 'allow', reason: '' } : { decision: 'none', reason: '' };

/** The first that allows or denies decides; the reasons of the others are told if nobody does. */
export function chainAuthorizers(authorizers: readonly Authorizer[]): Authorizer {
  return (attributes: AccessAttributes): AccessDecision => {
    const reasons: string[] = [];
    for (const authorize of authorizers) {
      const answer = authorize(attributes);
      if (answer.decision !== 'none') return answer;
      if (answer.reason !== '') reasons.push(answer.reason);
    }
    return { decision: 'none', reason: reasons.join('\n') };
  };
}
