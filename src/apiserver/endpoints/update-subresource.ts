// What an update of a subresource takes over from the body; everything else stays as it was, shared with the stored object.
import type { KubeObject } from '#api/meta/object.ts';
import type { CertificateSigningRequest } from '#api/generated/certificates-v1.ts';
import type { Namespace } from '#api/generated/core-v1.ts';
import { toTime } from '#lib/clock.ts';

const approvalConditions = ['Approved', 'Denied', 'Failed'];

/** Whether rules and defaults of the whole object apply. */
export function writesWholeObject(subresource: string): boolean {
  return subresource === '' || subresource === 'scale';
}

export function takeSubresource<T extends KubeObject>(subresource: string, object: T, old: T, nowMs: number): T {
  switch (subresource) {
    case 'status':
      return takeMembers(object, old, ['status']);
    case 'finalize':
      return takeFinalizers(object as unknown as Namespace, old as unknown as Namespace) as unknown as T;
    case 'approval':
      return takeApproval(
        object as unknown as CertificateSigningRequest,
        old as unknown as CertificateSigningRequest,
        nowMs,
      ) as unknown as T;
    default:
      return object;
  }
}

function takeMembers<T extends KubeObject>(object: T, old: T, members: readonly string[]): T {
  const taken = { ...old, metadata: object.metadata } as unknown as Record<string, unknown>;
  for (const member of members) taken[member] = (object as unknown as Record<string, unknown>)[member];
  return taken as unknown as T;
}

function takeFinalizers(object: Namespace, old: Namespace): Namespace {
  return { ...old, metadata: object.metadata, spec: { ...old.spec, finalizers: object.spec?.finalizers ?? [] } };
}

/** Approval may only change the conditions; the server stamps their times. */
function takeApproval(object: CertificateSigningRequest, old: CertificateSigningRequest, nowMs: number): CertificateSigningRequest {
  const now = toTime(nowMs);
  const conditions = (object.status?.conditions ?? []).map((condition) => {
    const before = old.status?.conditions?.find((other) => other.type === condition.type);
    const isTimed = approvalConditions.includes(condition.type);
    return {
      ...condition,
      status: condition.status || 'True',
      ...(isTimed && { lastUpdateTime: condition.lastUpdateTime || now }),
      lastTransitionTime: condition.lastTransitionTime || (before?.status === condition.status && before.lastTransitionTime) || now,
    };
  });
  return { ...old, metadata: object.metadata, status: { ...old.status, conditions } };
}
