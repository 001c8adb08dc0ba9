// What a ReplicaSet or ReplicationController needs, decided from what was observed: pods to create or delete, and its status.
import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '#api/generated/apps-v1.ts';
import type { Pod, ReplicationController } from '#api/generated/core-v1.ts';
import { toTime } from '#lib/clock.ts';
import { isPodAvailable, isPodReady, podCondition } from '#api/core/pod-state.ts';
import { conditionOf } from '#api/meta/conditions.ts';
import { podsToDelete } from './deletion-order.ts';

/** What keeps a number of pods. */
export type Replicated = ReplicaSet | ReplicationController;

/** No more pods than this are created or deleted in one go. */
const burstReplicas = 500;

export interface Plan {
  create: number;
  delete: Pod[];
}

/** `related` is asked only when pods go: see podsToDelete. */
export function plan(replicaSet: Replicated, active: readonly Pod[], related: () => Pod[], nowMs: number): Plan {
  const surplus = active.length - replicasOf(replicaSet);
  if (surplus < 0) return { create: Math.min(-surplus, burstReplicas), delete: [] };
  if (surplus > 0) return { create: 0, delete: podsToDelete(active, related(), Math.min(surplus, burstReplicas), nowMs) };
  return { create: 0, delete: [] };
}

function replicasOf(replicaSet: Replicated): number {
  return replicaSet.spec.replicas ?? 1;
}

export interface Failure {
  reason: 'FailedCreate' | 'FailedDelete';
  message: string;
}

export interface Observed {
  active: readonly Pod[];
  terminating: number;
  failure: Failure | undefined;
  nowMs: number;
}

export function statusOf(replicaSet: Replicated, { active, terminating, failure, nowMs }: Observed): ReplicaSetStatus {
  const wanted = Object.entries(replicaSet.spec.template?.metadata?.labels ?? {});
  const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0;
  const count = (holds: (pod: Pod) => boolean): number => active.reduce((sum, pod) => sum + Number(holds(pod)), 0);
  return {
    replicas: active.length,
    fullyLabeledReplicas: count((pod) => wanted.every(([key, value]) => pod.metadata.labels?.[key] === value)),
    readyReplicas: count(isPodReady),
    availableReplicas: count((pod) => isPodAvailable(pod, minReadySeconds, nowMs)),
    terminatingReplicas: terminating,
    observedGeneration: replicaSet.metadata.generation,
    conditions: conditionsOf(replicaSet.status?.conditions ?? [], failure, nowMs),
  };
}

function conditionsOf(old: ReplicaSetCondition[], failure: Failure | undefined, nowMs: number): ReplicaSetCondition[] {
  const others = old.filter((condition) => condition.type !== 'ReplicaFailure');
  if (failure === undefined) return others;
  const before = conditionOf(old, 'ReplicaFailure');
  if (before?.status === 'True' && before.reason === failure.reason) return old;
  return [...others, { type: 'ReplicaFailure', status: 'True', lastTransitionTime: toTime(nowMs), ...failure }];
}

/** How long until a pod that is ready now has been so for minReadySeconds; undefined if there is none to wait for. */
export function nextAvailabilityMs(replicaSet: Replicated, active: readonly Pod[], nowMs: number): number | undefined {
  const minReadyMs = (replicaSet.spec.minReadySeconds ?? 0) * 1000;
  if (minReadyMs === 0) return undefined;
  let soonest: number | undefined;
  for (const pod of active) {
    const ready = podCondition(pod, 'Ready');
    if (ready?.status !== 'True' || ready.lastTransitionTime === undefined) continue;
    const left = Date.parse(ready.lastTransitionTime) + minReadyMs - nowMs;
    if (left > 0 && (soonest === undefined || left < soonest)) soonest = left;
  }
  return soonest;
}
