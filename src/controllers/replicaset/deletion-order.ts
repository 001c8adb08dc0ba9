// Which pods go first when a ReplicaSet shrinks: those whose loss is felt least.
import type { ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import { isPodReady, podCondition } from '#api/core/pod-state.ts';

const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
const phaseRank: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * The `count` pods to delete. `related` are the active pods of all ReplicaSets with the same owner:
 * where several share a node, that node loses first.
 */
export function podsToDelete(active: readonly Pod[], related: readonly Pod[], count: number, nowMs: number): Pod[] {
  if (count >= active.length) return [...active];
  const perNode = new Map<string, number>();
  for (const pod of related) if (pod.spec.nodeName) perNode.set(pod.spec.nodeName, (perNode.get(pod.spec.nodeName) ?? 0) + 1);
  const facts = active.map((pod) => factsOf(pod, perNode.get(pod.spec.nodeName ?? '') ?? 0));
  return facts
    .sort((a, b) => compare(a, b, nowMs))
    .slice(0, count)
    .map(({ pod }) => pod);
}

interface Facts {
  pod: Pod;
  neighbours: number;
  ready: boolean;
  readySinceMs: number | undefined;
  createdMs: number | undefined;
  cost: number;
}

function factsOf(pod: Pod, neighbours: number): Facts {
  return {
    pod,
    neighbours,
    ready: isPodReady(pod),
    readySinceMs: timeOf(podCondition(pod, 'Ready')?.lastTransitionTime),
    createdMs: timeOf(pod.metadata.creationTimestamp),
    cost: costOf(pod),
  };
}

/** Negative: a goes before b. */
function compare(a: Facts, b: Facts, nowMs: number): number {
  return (
    Number(!!a.pod.spec.nodeName) - Number(!!b.pod.spec.nodeName) ||
    rankOf(a.pod) - rankOf(b.pod) ||
    Number(a.ready) - Number(b.ready) ||
    a.cost - b.cost ||
    b.neighbours - a.neighbours ||
    (a.ready && b.ready ? youngerFirst(a.readySinceMs, b.readySinceMs, nowMs, a.pod, b.pod) : 0) ||
    restartsOf(b.pod.status?.containerStatuses) - restartsOf(a.pod.status?.containerStatuses) ||
    youngerFirst(a.createdMs, b.createdMs, nowMs, a.pod, b.pod)
  );
}

function rankOf(pod: Pod): number {
  return phaseRank[pod.status?.phase ?? 'Pending'] ?? 0;
}

/**
 * Ages are compared by their power of two, equal ones by uid, which is as good as chance: so that pods of one
 * rollout are not taken strictly from the youngest, which often share a zone (upstream's LogarithmicScaleDown).
 */
function youngerFirst(a: number | undefined, b: number | undefined, nowMs: number, podA: Pod, podB: Pod): number {
  if (a === b) return 0;
  // A pod that was never ready counts as the youngest.
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  const difference = magnitude(nowMs - a) - magnitude(nowMs - b);
  if (difference !== 0) return difference;
  return podA.metadata.uid! < podB.metadata.uid! ? -1 : 1;
}

function magnitude(ageMs: number): number {
  return ageMs <= 0 ? -1 : Math.floor(Math.log2(ageMs * 1e6));
}

function restartsOf(statuses: ContainerStatus[] | undefined): number {
  return Math.max(0, ...(statuses ?? []).map((status) => status.restartCount));
}

function costOf(pod: Pod): number {
  const text = pod.metadata.annotations?.[deletionCostAnnotation];
  return text !== undefined && /^(0|-?[1-9][0-9]*)$/.test(text) ? Number(text) : 0;
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}
