// What a Job needs, decided from what was observed: pods to create or delete, and its status.
import type { Job, JobCondition, JobStatus } from '#api/generated/batch-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { isPodActive, isPodReady, isPodTerminating } from '#api/core/pod-state.ts';
import { conditionOf, isConditionTrue } from '#api/meta/conditions.ts';
import { toTime } from '#lib/clock.ts';
import type { Books } from './accounting.ts';
import { indexTexts, keepBooks } from './accounting.ts';
import type { Work } from './work.ts';
import { planWork } from './work.ts';
import { isIndexed } from './pods.ts';
import { metRule } from './success-policy.ts';

export interface Decision extends Work {
  /** The Job is over: those that still run are stopped, and counted when they have ended. */
  delete: Pod[];
  status: JobStatus;
  /** Pods whose finalizer goes once the status is written. */
  release: Pod[];
  events: { type: 'Normal' | 'Warning'; reason: string; message: string }[];
}

interface Ending {
  /** The condition that announces the end: FailureTarget or SuccessCriteriaMet. */
  type: 'FailureTarget' | 'SuccessCriteriaMet';
  reason: string;
  message: string;
}

const succeed = (reason: string, message: string): Ending => ({ type: 'SuccessCriteriaMet', reason, message });
const fail = (reason: string, message: string): Ending => ({ type: 'FailureTarget', reason, message });

export const isFinished = ({ status }: Job): boolean =>
  isConditionTrue(status?.conditions, 'Complete') || isConditionTrue(status?.conditions, 'Failed');

/** `mayManage`: nothing that was asked for is still outstanding, so pods may be created and deleted. */
export function decide(job: Job, pods: readonly Pod[], mayManage: boolean, nowMs: number): Decision {
  const books = keepBooks(job, pods);
  const active = pods.filter(isPodActive);
  const terminating = pods.filter(isPodTerminating).length;
  const status = startedStatus(job, nowMs);
  const events: Decision['events'] = [];
  const ending = endingOf({ ...job, status }, pods, books, active.length, nowMs);
  const suspended = job.spec.suspend === true;
  const work: Work = { create: [], discard: [] };
  let doomed: Pod[] = [];
  if (ending !== undefined) {
    status.conditions = withTrue(status.conditions, ending, nowMs);
    if (mayManage) doomed = active;
  } else if (mayManage && job.metadata.deletionTimestamp === undefined) {
    Object.assign(work, planWork(job, { pods, active, terminating, books, nowMs }));
    events.push(...noteSuspension(job, status, suspended && active.length === 0, nowMs));
  }
  const isOver = ending !== undefined && active.length === 0 && terminating === 0;
  Object.assign(status, {
    active: active.length,
    ready: active.filter(isPodReady).length,
    terminating,
    succeeded: books.counted.succeeded,
    failed: books.counted.failed,
    uncountedTerminatedPods: uncountedOf(books),
  });
  for (const field of ['completedIndexes', 'failedIndexes'] as const) delete status[field];
  Object.assign(status, indexTexts(job, books));
  const hasUncounted = books.uncounted.succeeded.length + books.uncounted.failed.length > 0;
  if (isOver && !hasUncounted) events.push(finish(status, ending, nowMs));
  // What ends already waits for its pods, not for time.
  const untilDeadlineMs = ending === undefined ? deadlineMs(job, status, nowMs) : undefined;
  const waits = [work.requeueAfterMs, untilDeadlineMs].filter((ms) => ms !== undefined);
  return {
    ...work,
    delete: doomed,
    status,
    release: books.release,
    events,
    ...(waits.length > 0 && { requeueAfterMs: Math.min(...waits) }),
  };
}

function uncountedOf({ uncounted: { succeeded, failed } }: Books) {
  return { ...(succeeded.length > 0 && { succeeded }), ...(failed.length > 0 && { failed }) };
}

function startedStatus(job: Job, nowMs: number): JobStatus {
  const status: JobStatus = { ...job.status };
  if (status.startTime === undefined && !job.spec.suspend) status.startTime = toTime(nowMs);
  return status;
}

/** Whether the Job is over, or about to be, and why. What was announced once stands. */
function endingOf(job: Job, pods: readonly Pod[], books: Books, active: number, nowMs: number): Ending | undefined {
  const { spec, status } = job;
  for (const type of ['FailureTarget', 'SuccessCriteriaMet'] as const) {
    const announced = conditionOf(status?.conditions, type);
    if (announced?.status === 'True') return { type, reason: announced.reason ?? '', message: announced.message ?? '' };
  }
  if (books.failJob !== undefined) return fail('PodFailurePolicy', books.failJob);
  if (books.failed > (spec.backoffLimit ?? 6) || restartsExceed(job, pods))
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  if (deadlineMs(job, status ?? {}, nowMs) === 0) return fail('DeadlineExceeded', 'Job was active longer than specified deadline');
  const failedIndexes = books.failedIndexes.size;
  if (isIndexed(job) && spec.backoffLimitPerIndex !== undefined) {
    if (spec.maxFailedIndexes !== undefined && failedIndexes > spec.maxFailedIndexes)
      return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
    if (failedIndexes > 0 && failedIndexes + books.succeeded >= (spec.completions ?? 0))
      return fail('FailedIndexes', 'Job has failed indexes');
  }
  const met = metRule(job, books.completedIndexes);
  if (met !== undefined) return succeed('SuccessPolicy', met);
  // Without a number of completions the first success tells the others to come to their end.
  const isComplete =
    spec.completions === undefined ? books.succeeded > 0 && active === 0 : books.succeeded >= spec.completions && active === 0;
  return isComplete ? succeed('CompletionsReached', 'Reached expected number of succeeded pods') : undefined;
}

/** Pods that are restarted in place count their restarts. */
function restartsExceed({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false;
  const live = pods.filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending');
  const statuses = live.flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]);
  const restarts = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const limit = spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** Zero: it is past. */
function deadlineMs({ spec }: Job, { startTime }: JobStatus, nowMs: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || startTime === undefined || spec.suspend) return undefined;
  return Math.max(0, Date.parse(startTime) + spec.activeDeadlineSeconds * 1000 - nowMs);
}

function noteSuspension(job: Job, status: JobStatus, isSuspended: boolean, nowMs: number): Decision['events'] {
  const before = conditionOf(status.conditions, 'Suspended');
  const set = (value: 'True' | 'False', reason: string, message: string): Decision['events'] => {
    status.conditions = withCondition(status.conditions, { type: 'Suspended', status: value, reason, message }, nowMs);
    return [{ type: 'Normal', reason: value === 'True' ? 'Suspended' : 'Resumed', message }];
  };
  if (isSuspended && before?.status !== 'True') {
    delete status.startTime;
    return set('True', 'JobSuspended', 'Job suspended');
  }
  if (job.spec.suspend || before?.status !== 'True') return [];
  status.startTime = toTime(nowMs);
  return set('False', 'JobResumed', 'Job resumed');
}

/** The last word: nothing runs, everything is counted. */
function finish(status: JobStatus, { type, reason, message }: Ending, nowMs: number): Decision['events'][number] {
  const isSuccess = type === 'SuccessCriteriaMet';
  // A Job that was never started ends when it starts: finished Jobs have both times.
  status.startTime ??= toTime(nowMs);
  status.conditions = withTrue(status.conditions, { type: isSuccess ? 'Complete' : 'Failed', reason, message }, nowMs);
  if (!isSuccess) return { type: 'Warning', reason, message };
  status.completionTime = toTime(nowMs);
  return { type: 'Normal', reason: 'Completed', message: 'Job completed' };
}

type Said = Pick<JobCondition, 'type' | 'status' | 'reason' | 'message'>;

const withTrue = (conditions: JobCondition[] | undefined, said: Omit<Said, 'status'>, nowMs: number): JobCondition[] =>
  withCondition(conditions, { ...said, status: 'True' }, nowMs);

function withCondition(conditions: JobCondition[] = [], said: Said, nowMs: number): JobCondition[] {
  const old = conditionOf(conditions, said.type);
  if (old?.status === said.status) return conditions;
  const now = toTime(nowMs);
  const { type, status, reason, message } = said;
  return [
    ...conditions.filter((condition) => condition !== old),
    { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message },
  ];
}
