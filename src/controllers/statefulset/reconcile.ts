// What a StatefulSet needs next, decided from what was observed: one step at a time where order matters, and its status.
import type { StatefulSet, StatefulSetStatus } from '#api/generated/apps-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { isPodAvailable, isPodReady } from '#api/core/pod-state.ts';
import { hasIdentity, ordinalOf, replicasOf, revisionOf, startOf } from './identity.ts';

export interface Revisions {
  /** Names of ControllerRevisions: where pods come from, and where they are going. */
  current: string;
  update: string;
}

export type Step =
  | { do: 'create'; ordinal: number; revision: string }
  | { do: 'delete'; pod: Pod; because?: 'Failed' | 'Succeeded' }
  | { do: 'repair'; pod: Pod; ordinal: number }
  /** The claims of a pod that waits for them. */
  | { do: 'claims'; ordinal: number };

interface Slot {
  ordinal: number;
  pod: Pod | undefined;
}

const isTerminating = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
const isRunningAndReady = (pod: Pod): boolean => pod.status?.phase === 'Running' && isPodReady(pod);

export function nextSteps(set: StatefulSet, pods: readonly Pod[], revisions: Revisions, nowMs: number): Step[] {
  if (set.metadata.deletionTimestamp !== undefined) return [];
  const { slots, condemned } = placesOf(set, pods);
  const isOrdered = set.spec.podManagementPolicy !== 'Parallel';
  const isAvailable = (pod: Pod) => isRunningAndReady(pod) && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
  const steps: Step[] = [];
  for (const slot of slots) {
    const step = stepFor(set, slot, revisions);
    if (step !== undefined) steps.push(step);
    // The next one waits for this one.
    const holdsUp = slot.pod === undefined || isTerminating(slot.pod) || !isAvailable(slot.pod);
    if (isOrdered && (holdsUp || (step !== undefined && step.do === 'delete'))) return steps;
  }
  const firstUnhealthy = condemned.findLast((pod) => !isRunningAndReady(pod) || isTerminating(pod));
  for (const pod of condemned) {
    if (isTerminating(pod)) {
      if (isOrdered) return steps;
      continue;
    }
    if (isOrdered && !isAvailable(pod) && pod !== firstUnhealthy) return steps;
    steps.push({ do: 'delete', pod });
    if (isOrdered) return steps;
  }
  if (set.spec.updateStrategy?.type === 'OnDelete') return steps;
  return [...steps, ...updateStep(set, slots, revisions, isAvailable)];
}

/** The pods by ordinal, and those beyond the set's size, highest first. */
function placesOf(set: StatefulSet, pods: readonly Pod[]): { slots: Slot[]; condemned: Pod[] } {
  const start = startOf(set);
  const slots: Slot[] = Array.from({ length: replicasOf(set) }, (_, position) => ({ ordinal: start + position, pod: undefined }));
  const condemned: Pod[] = [];
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod)!;
    const slot = slots[ordinal - start];
    if (slot === undefined) condemned.push(pod);
    else slot.pod = pod;
  }
  return { slots, condemned: condemned.sort((a, b) => ordinalOf(set, b)! - ordinalOf(set, a)!) };
}

function stepFor(set: StatefulSet, { ordinal, pod }: Slot, revisions: Revisions): Step | undefined {
  if (pod === undefined) return { do: 'create', ordinal, revision: revisionFor(set, ordinal, revisions) };
  const phase = pod.status?.phase;
  if (phase === 'Failed' || phase === 'Succeeded') return isTerminating(pod) ? undefined : { do: 'delete', pod, because: phase };
  if (isTerminating(pod)) return undefined;
  if (!hasIdentity(set, pod, ordinal)) return { do: 'repair', pod, ordinal };
  return phase === 'Pending' && !pod.spec.nodeName ? { do: 'claims', ordinal } : undefined;
}

/** What is below the partition comes back as it was. */
function revisionFor(set: StatefulSet, ordinal: number, { current, update }: Revisions): string {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type !== 'RollingUpdate') return update;
  const kept = rollingUpdate === undefined ? (set.status?.currentReplicas ?? 0) : (rollingUpdate.partition ?? 0);
  return ordinal < startOf(set) + kept ? current : update;
}

/** From the highest ordinal down to the partition, one pod after the other. */
function updateStep(set: StatefulSet, slots: readonly Slot[], { update }: Revisions, isAvailable: (pod: Pod) => boolean): Step[] {
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (const { pod } of slots.slice(partition).reverse()) {
    if (pod === undefined || isTerminating(pod)) return [];
    if (revisionOf(pod) !== update) return [{ do: 'delete', pod }];
    if (!isAvailable(pod)) return [];
  }
  return [];
}

export function statusOf(set: StatefulSet, pods: readonly Pod[], { current, update }: Revisions, nowMs: number): StatefulSetStatus {
  const count = (holds: (pod: Pod) => boolean): number => pods.filter(holds).length;
  const wears = (revision: string) => count((pod) => !isTerminating(pod) && revisionOf(pod) === revision);
  const { collisionCount, conditions } = set.status ?? {};
  const status: StatefulSetStatus = {
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    readyReplicas: count(isRunningAndReady),
    availableReplicas: count((pod) => isRunningAndReady(pod) && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)),
    currentReplicas: wears(current),
    updatedReplicas: wears(update),
    currentRevision: current,
    updateRevision: update,
    collisionCount: collisionCount ?? 0,
    ...(conditions && { conditions }),
  };
  const replicas = replicasOf(set);
  const isWhole = [status.replicas, status.readyReplicas, status.updatedReplicas].every((number) => number === replicas);
  if (set.spec.updateStrategy?.type === 'RollingUpdate' && isWhole)
    return { ...status, currentReplicas: status.updatedReplicas, currentRevision: update };
  return status;
}
