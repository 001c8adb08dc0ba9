// Which changes of a pod, as the watch brings them, its node has to act upon.
import type { Pod } from '#api/generated/core-v1.ts';

/** What the kubelet itself wrote to the status needs no new look. */
export function deservesTurn(before: Pod, after: Pod, isNews: boolean): boolean {
  if (before === after) return true;
  const [old, current] = [before.metadata, after.metadata];
  if (old.deletionTimestamp !== current.deletionTimestamp || old.deletionGracePeriodSeconds !== current.deletionGracePeriodSeconds)
    return true;
  if (old.generation !== current.generation) return true;
  if (isNews && before.status?.phase !== after.status?.phase) return true;
  // Volumes may show labels and annotations.
  if (!isEqual(old.labels, current.labels) || !isEqual(old.annotations, current.annotations)) return true;
  // Somebody else's condition may be a readiness gate.
  return isNews && (after.spec.readinessGates?.length ?? 0) > 0;
}

function isEqual(a: Record<string, string> | undefined, b: Record<string, string> | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** When a pod with an active deadline must end. */
export function deadlineOf(pod: Pod): number | undefined {
  const { startTime } = pod.status ?? {};
  const seconds = pod.spec.activeDeadlineSeconds;
  return seconds === undefined || startTime === undefined ? undefined : Date.parse(startTime) + seconds * 1000;
}
