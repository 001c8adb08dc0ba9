// The smallest strategic merge patch from the status that the server has to the one wanted. Conditions of others are never touched.
import type { Pod, PodCondition, PodStatus } from '#api/generated/core-v1.ts';

/** What the kubelet writes; everything else in a pod's status belongs to others. */
const owned = [
  'observedGeneration',
  'phase',
  'message',
  'reason',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
  'qosClass',
] as const satisfies (keyof PodStatus)[];

/** Lists that a strategic patch would merge by address: replaced whole. */
const replacedLists: ReadonlySet<string> = new Set(['hostIPs', 'podIPs']);

/** Undefined if there is nothing to write. */
export function statusPatch(pod: Pod, base: PodStatus, wanted: PodStatus): Record<string, unknown> | undefined {
  const status: Record<string, unknown> = {};
  for (const field of owned) {
    const before = base[field];
    const after = wanted[field];
    if (isSame(before, after)) continue;
    if (after === undefined) status[field] = null;
    else if (replacedLists.has(field) && Array.isArray(before) && before.length > 0)
      status[field] = [...(after as unknown[]), { $patch: 'replace' }];
    else status[field] = after;
  }
  const conditions = (wanted.conditions ?? []).filter((condition) => !isKnown(base.conditions, condition));
  if (conditions.length > 0) status.conditions = conditions.map((condition) => withRemovals(condition, base.conditions));
  if (Object.keys(status).length === 0) return undefined;
  // The uid keeps the patch off a new pod of the same name.
  return { metadata: { uid: pod.metadata.uid }, status };
}

function isKnown(known: readonly PodCondition[] | undefined, condition: PodCondition): boolean {
  const before = known?.find(({ type }) => type === condition.type);
  if (before === undefined) return false;
  return (['status', 'reason', 'message', 'observedGeneration', 'lastTransitionTime'] as const).every(
    (field) => (before[field] ?? '') === (condition[field] ?? ''),
  );
}

/** A reason that no longer holds must be removed, as merging keeps what a patch does not name. */
function withRemovals(condition: PodCondition, known: readonly PodCondition[] | undefined): Record<string, unknown> {
  const before = known?.find(({ type }) => type === condition.type);
  return {
    ...(before?.reason !== undefined && { reason: null }),
    ...(before?.message !== undefined && { message: null }),
    ...condition,
  };
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}
