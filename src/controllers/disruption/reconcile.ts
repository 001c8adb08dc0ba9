// What a budget allows, from its pods, the number that there should be, and the evictions that are still under way.
import type { Pod } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/generated/policy-v1.ts';
import { isPodReady } from '#api/core/pod-state.ts';
import { scaledIntOrPercent } from '#api/meta/int-or-string.ts';

/** An eviction that has not become a deletion by then was not carried out. */
const deletionTimeoutMs = 120_000;

export interface PendingDisruptions {
  disruptedPods: Record<string, string>;
  /** Pods whose eviction came to nothing. */
  forgotten: Pod[];
  /** When the next pending eviction becomes stale. */
  recheckMs?: number;
}

export function pendingDisruptions({ status }: PodDisruptionBudget, pods: readonly Pod[], nowMs: number): PendingDisruptions {
  const pending: PendingDisruptions = { disruptedPods: {}, forgotten: [] };
  for (const pod of pods) {
    const time = status?.disruptedPods?.[pod.metadata.name!];
    if (time === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const untilMs = Date.parse(time) + deletionTimeoutMs;
    if (untilMs < nowMs) {
      pending.forgotten.push(pod);
      continue;
    }
    pending.disruptedPods[pod.metadata.name!] = time;
    pending.recheckMs = Math.min(pending.recheckMs ?? Infinity, untilMs + 1);
  }
  return pending;
}

type Counts = Required<
  Pick<PodDisruptionBudgetStatus, 'currentHealthy' | 'desiredHealthy' | 'expectedPods' | 'disruptionsAllowed' | 'disruptedPods'>
>;

/** `scale`: how many pods their owners want. */
export function judgeBudget(
  { spec }: PodDisruptionBudget,
  pods: readonly Pod[],
  scale: number,
  disruptedPods: Record<string, string>,
): Counts {
  const { expectedPods, desiredHealthy } = wanted(spec ?? {}, pods, scale);
  const isHealthy = (pod: Pod) =>
    pod.metadata.deletionTimestamp === undefined && disruptedPods[pod.metadata.name!] === undefined && isPodReady(pod);
  const currentHealthy = pods.filter(isHealthy).length;
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  return { currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed, disruptedPods };
}

function wanted(
  { minAvailable, maxUnavailable }: PodDisruptionBudget['spec'],
  pods: readonly Pod[],
  scale: number,
): { expectedPods: number; desiredHealthy: number } {
  if (maxUnavailable !== undefined) {
    return { expectedPods: scale, desiredHealthy: Math.max(0, scale - scaledIntOrPercent(maxUnavailable, scale, true)) };
  }
  // A plain number needs nobody who knows how many there should be.
  if (typeof minAvailable === 'number') return { expectedPods: pods.length, desiredHealthy: minAvailable };
  if (minAvailable !== undefined) return { expectedPods: scale, desiredHealthy: scaledIntOrPercent(minAvailable, scale, true) };
  return { expectedPods: 0, desiredHealthy: 0 };
}
