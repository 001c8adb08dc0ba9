// The books of a Job. A pod that has ended stays, held by a finalizer, until it stands in the status: first by its uid among the
// uncounted, then, once its finalizer is seen to be gone, in a number. Each step is one write that may be repeated: none counts twice.
import { formatIndexes, parseIndexes } from '#api/batch/completion-indexes.ts';
import type { Job, UncountedTerminatedPods } from '#api/generated/batch-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { judgeFailure } from './failure-policy.ts';
import { failuresBefore, hasFailed, hasSucceeded, indexOf, isIndexed, isTracked } from './pods.ts';

export interface Books {
  /** As the status will say. */
  counted: { succeeded: number; failed: number };
  uncounted: Required<UncountedTerminatedPods>;
  completedIndexes: ReadonlySet<number>;
  failedIndexes: ReadonlySet<number>;
  /** With what is not yet counted: what decisions rest on. */
  succeeded: number;
  failed: number;
  /** Pods whose finalizer may go as soon as the status is written. */
  release: Pod[];
  /** Why a rule of the pod failure policy fails the whole Job. */
  failJob: string | undefined;
}

/** No more uids than this wait in the status at a time. */
const maxUncounted = 500;

export function keepBooks(job: Job, pods: readonly Pod[]): Books {
  const { status = {}, spec } = job;
  const tracked = new Map(pods.filter(isTracked).map((pod) => [pod.metadata.uid!, pod]));
  const before = status.uncountedTerminatedPods ?? {};
  const still = (uids: string[] | undefined) => (uids ?? []).filter((uid) => tracked.has(uid));
  const uncounted = { succeeded: still(before.succeeded), failed: still(before.failed) };
  const counted = {
    succeeded: (status.succeeded ?? 0) + (before.succeeded?.length ?? 0) - uncounted.succeeded.length,
    failed: (status.failed ?? 0) + (before.failed?.length ?? 0) - uncounted.failed.length,
  };
  const completedIndexes = parseIndexes(status.completedIndexes, spec.completions ?? 0);
  const failedIndexes = parseIndexes(status.failedIndexes, spec.completions ?? 0);
  const known = new Set([...uncounted.succeeded, ...uncounted.failed]);
  const release = [...known].map((uid) => tracked.get(uid)!);
  let failJob: string | undefined;
  for (const [uid, pod] of tracked) {
    if (known.has(uid) || known.size >= maxUncounted) continue;
    if (hasSucceeded(pod)) {
      const index = indexOf(job, pod);
      // An index is its own record; one that is no longer asked for counts for nothing.
      if (!isIndexed(job)) uncounted.succeeded.push(uid);
      else if (index !== undefined && !failedIndexes.has(index)) completedIndexes.add(index);
    } else if (hasFailed(job, pod)) {
      const verdict = judgeFailure(job, pod);
      failJob ??= verdict.message;
      if (verdict.action !== 'Ignore') uncounted.failed.push(uid);
      if (isIndexFailed(job, pod, verdict.action, completedIndexes)) failedIndexes.add(indexOf(job, pod)!);
    } else continue;
    known.add(uid);
    release.push(pod);
  }
  const succeeded = isIndexed(job) ? completedIndexes.size : counted.succeeded + uncounted.succeeded.length;
  if (isIndexed(job)) counted.succeeded = completedIndexes.size;
  return {
    counted,
    uncounted,
    completedIndexes,
    failedIndexes,
    succeeded,
    failed: counted.failed + uncounted.failed.length,
    release,
    failJob,
  };
}

function isIndexFailed(job: Job, pod: Pod, action: string, completed: ReadonlySet<number>): boolean {
  const limit = job.spec.backoffLimitPerIndex;
  const index = indexOf(job, pod);
  if (limit === undefined || index === undefined || completed.has(index)) return false;
  if (action === 'FailIndex') return true;
  return action !== 'Ignore' && failuresBefore(pod).counted + 1 > limit;
}

export function indexTexts(job: Job, books: Books): { completedIndexes?: string; failedIndexes?: string } {
  const completed = formatIndexes(books.completedIndexes);
  return {
    ...(isIndexed(job) && completed !== '' && { completedIndexes: completed }),
    ...(job.spec.backoffLimitPerIndex !== undefined && { failedIndexes: formatIndexes(books.failedIndexes) }),
  };
}
