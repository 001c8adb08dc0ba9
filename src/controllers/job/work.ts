// How many pods of a Job should run, which are too many, and which come next.
import type { Job } from '#api/generated/batch-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { isPodReady } from '#api/core/pod-state.ts';
import type { Books } from './accounting.ts';
import { judgeFailure } from './failure-policy.ts';
import type { IndexFailures } from './pods.ts';
import { failuresBefore, finishedAtMs, hasFailed, hasSucceeded, indexOf, isIndexed, newIndexedPod, newPod } from './pods.ts';

export interface Work {
  create: Pod[];
  /** Too many: they go, and count for nothing. */
  discard: Pod[];
  /** Pods that failed are made again after a while. */
  requeueAfterMs?: number;
}

interface Observed {
  pods: readonly Pod[];
  active: readonly Pod[];
  terminating: number;
  books: Books;
  nowMs: number;
}

/** No more pods than this are created or deleted in one go. */
const burst = 500;
const firstBackoffMs = 10_000;
const maxBackoffMs = 600_000;

export function planWork(job: Job, observed: Observed): Work {
  const { active, terminating } = observed;
  if (job.spec.suspend) return { create: [], discard: active.slice(0, burst) };
  const wanted = wantedOf(job, observed);
  const surplus = surplusOf(job, observed, wanted);
  if (surplus.length > 0) return { create: [], discard: surplus.slice(0, burst) };
  const occupied = active.length + (job.spec.podReplacementPolicy === 'Failed' ? terminating : 0);
  const missing = Math.min(wanted - occupied, burst);
  if (missing <= 0) return { create: [], discard: [] };
  return isIndexed(job) ? nextIndexes(job, observed, missing) : nextPods(job, observed, missing);
}

function wantedOf({ spec }: Job, { active, books }: Observed): number {
  const parallelism = spec.parallelism ?? 1;
  // Without a number of completions nobody is started any more after the first success.
  if (spec.completions === undefined) return books.succeeded > 0 ? Math.min(active.length, parallelism) : parallelism;
  return Math.min(parallelism, Math.max(0, spec.completions - books.succeeded - books.failedIndexes.size));
}

/** Those whose index is done, unknown or taken go first, then those that have got least far. */
function surplusOf(job: Job, { active, books }: Observed, wanted: number): Pod[] {
  const taken = new Set<number>();
  const useless: Pod[] = [];
  const useful: Pod[] = [];
  for (const pod of isIndexed(job) ? active : []) {
    const index = indexOf(job, pod);
    const isDone = index === undefined || taken.has(index) || books.completedIndexes.has(index) || books.failedIndexes.has(index);
    (isDone ? useless : useful).push(pod);
    if (index !== undefined) taken.add(index);
  }
  const rest = isIndexed(job) ? useful : [...active];
  const rank = (pod: Pod) => (pod.spec.nodeName ? 1 : 0) + (pod.status?.phase === 'Running' ? 1 : 0) + (isPodReady(pod) ? 1 : 0);
  rest.sort((a, b) => rank(a) - rank(b) || (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''));
  return [...useless, ...rest.slice(0, Math.max(0, rest.length - wanted))];
}

function nextPods(job: Job, { pods, nowMs }: Observed, count: number): Work {
  const waitMs = backoffMs(failuresInARow(job, pods), nowMs);
  if (waitMs > 0) return { create: [], discard: [], requeueAfterMs: waitMs };
  return { create: new Array<Pod>(count).fill(newPod(job)), discard: [] };
}

/** When the pods that failed since the last success came to their ends. */
function failuresInARow(job: Job, pods: readonly Pod[]): number[] {
  const lastSuccess = Math.max(0, ...pods.filter(hasSucceeded).map(finishedAtMs));
  return pods
    .filter((pod) => hasFailed(job, pod))
    .map(finishedAtMs)
    .filter((ms) => ms > lastSuccess);
}

/** Ten seconds after the first failure, twice as long after each further one. */
function backoffMs(failedAtMs: readonly number[], nowMs: number): number {
  if (failedAtMs.length === 0) return 0;
  const delayMs = Math.min(firstBackoffMs * 2 ** (failedAtMs.length - 1), maxBackoffMs);
  return Math.max(0, Math.max(...failedAtMs) + delayMs - nowMs);
}

function nextIndexes(job: Job, { pods, active, books, nowMs }: Observed, count: number): Work {
  const isPerIndex = job.spec.backoffLimitPerIndex !== undefined;
  const commonWaitMs = isPerIndex ? 0 : backoffMs(failuresInARow(job, pods), nowMs);
  if (commonWaitMs > 0) return { create: [], discard: [], requeueAfterMs: commonWaitMs };
  const busy = new Set(active.map((pod) => indexOf(job, pod)));
  const failures = failuresByIndex(job, pods);
  const work: Work = { create: [], discard: [] };
  for (let index = 0; index < (job.spec.completions ?? 0) && work.create.length < count; index++) {
    if (busy.has(index) || books.completedIndexes.has(index) || books.failedIndexes.has(index)) continue;
    const past = failures.get(index);
    if (past?.isGoing && job.spec.podReplacementPolicy === 'Failed') continue;
    const waitMs =
      isPerIndex && past !== undefined ? backoffMs(new Array<number>(past.counted + past.ignored).fill(past.lastMs), nowMs) : 0;
    if (waitMs > 0) work.requeueAfterMs = Math.min(waitMs, work.requeueAfterMs ?? Infinity);
    else work.create.push(newIndexedPod(job, index, past ?? { counted: 0, ignored: 0 }));
  }
  return work;
}

interface Past extends IndexFailures {
  lastMs: number;
  isGoing: boolean;
}

/** Each pod carries the failures of its index before it: the latest one knows all. */
function failuresByIndex(job: Job, pods: readonly Pod[]): Map<number, Past> {
  const byIndex = new Map<number, Past>();
  for (const pod of pods) {
    const index = indexOf(job, pod);
    if (index === undefined || (pod.status?.phase !== 'Failed' && pod.metadata.deletionTimestamp === undefined)) continue;
    const before = failuresBefore(pod);
    const isIgnored = judgeFailure(job, pod).action === 'Ignore';
    const past = byIndex.get(index);
    byIndex.set(index, {
      counted: Math.max(past?.counted ?? 0, before.counted + (isIgnored ? 0 : 1)),
      ignored: Math.max(past?.ignored ?? 0, before.ignored + (isIgnored ? 1 : 0)),
      lastMs: Math.max(past?.lastMs ?? 0, finishedAtMs(pod)),
      isGoing: (past?.isGoing ?? false) || pod.status?.phase !== 'Failed',
    });
  }
  return byIndex;
}
