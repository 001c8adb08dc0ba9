// One pass over a CronJob, in phases: see what became of its Jobs, start the one that is due, forget the oldest, and say when to look again.
import { isTimeZone, parseSchedule } from '#api/batch/schedule.ts';
import type { Schedule } from '#api/batch/schedule.ts';
import type { CronJob, CronJobStatus, Job } from '#api/generated/batch-v1.ts';
import type { ObjectReference } from '#api/generated/core-v1.ts';
import { cronjobs, jobs } from '#api/generated/resources.ts';
import { isAlreadyExists, isNotFound } from '#api/meta/errors.ts';
import { controllerReference, isControlledBy } from '#api/meta/owner-references.ts';
import { toTime } from '#lib/clock.ts';
import type { ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/failures.ts';
import type { Outcome } from '../runtime/reconciler.ts';
import { dueOf } from './due.ts';

/** What one pass knows and has done so far. */
interface Pass {
  context: ControllerContext;
  cronJob: CronJob;
  status: CronJobStatus & { active: ObjectReference[] };
  event(type: 'Normal' | 'Warning', reason: string, message: string): void;
}

export async function reconcileCronJob(context: ControllerContext, cronJob: CronJob, owned: readonly Job[]): Promise<Outcome | undefined> {
  const pass: Pass = {
    context,
    cronJob,
    status: { ...cronJob.status, active: [...(cronJob.status?.active ?? [])] },
    event: (type, reason, message) => context.events.event(cronJob, type, reason, message),
  };
  noteProgress(pass, owned);
  const outcome = cronJob.metadata.deletionTimestamp === undefined ? await startDue(pass) : undefined;
  await forgetOldest(pass, owned, 'Complete', cronJob.spec.successfulJobsHistoryLimit);
  await forgetOldest(pass, owned, 'Failed', cronJob.spec.failedJobsHistoryLimit);
  // Status is written last: a crash before this line only repeats work, for a Job of a time has one name.
  if (!saysTheSame(pass.status, cronJob.status))
    await context.client.update(cronjobs, { ...cronJob, status: pass.status }, { subresource: 'status' });
  return outcome;
}

/** How the Job ended; undefined while it has not. */
function endOf({ status }: Job): 'Complete' | 'Failed' | undefined {
  const end = status?.conditions?.find(({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True');
  return end?.type as 'Complete' | 'Failed' | undefined;
}

function noteProgress({ status, event }: Pass, owned: readonly Job[]): void {
  for (const job of owned) {
    const isListed = status.active.some(({ uid }) => uid === job.metadata.uid);
    const end = endOf(job);
    if (!isListed && end === undefined)
      event('Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${job.metadata.name}`);
    if (isListed && end !== undefined) {
      status.active = status.active.filter(({ uid }) => uid !== job.metadata.uid);
      event('Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, condition: ${end}`);
    }
    const completed = end === 'Complete' ? job.status?.completionTime : undefined;
    if (completed !== undefined && Date.parse(completed) > Date.parse(status.lastSuccessfulTime ?? toTime(0)))
      status.lastSuccessfulTime = completed;
  }
  for (const { uid, name } of status.active) {
    if (owned.some(({ metadata }) => metadata.uid === uid)) continue;
    event('Normal', 'MissingJob', `Active job went missing: ${name}`);
    status.active = status.active.filter((reference) => reference.uid !== uid);
  }
}

async function startDue(pass: Pass): Promise<Outcome | undefined> {
  const { cronJob, event, status, context } = pass;
  const { spec } = cronJob;
  if (spec.timeZone !== undefined && !isTimeZone(spec.timeZone)) {
    event('Warning', 'UnknownTimeZone', `invalid timeZone: "${spec.timeZone}": unknown time zone ${spec.timeZone}`);
    return undefined;
  }
  if (spec.suspend) return undefined;
  const schedule = scheduleOf(pass);
  if (schedule === undefined) return undefined;
  const nowMs = context.clock.now();
  const { timeMs, tooMany, nextMs } = dueOf(cronJob, schedule, nowMs);
  const outcome = nextMs === undefined ? undefined : { requeueAfterMs: nextMs - nowMs };
  if (tooMany)
    event(
      'Warning',
      'TooManyMissedTimes',
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
    );
  if (timeMs === undefined) return outcome;
  if (spec.startingDeadlineSeconds !== undefined && timeMs + spec.startingDeadlineSeconds * 1000 < nowMs) {
    event('Warning', 'MissSchedule', `Missed scheduled time to start a job: ${new Date(timeMs).toUTCString().replace('GMT', '+0000')}`);
    return outcome;
  }
  if (status.active.some(({ name }) => name === nameOf(cronJob, timeMs))) return outcome;
  if (spec.concurrencyPolicy === 'Forbid' && status.active.length > 0) {
    event('Normal', 'JobAlreadyActive', 'Not starting job because prior execution is running and concurrency policy is Forbid');
    return outcome;
  }
  if (spec.concurrencyPolicy === 'Replace') {
    for (const { name } of status.active) await deleteJob(pass, name!);
    status.active = [];
  }
  await createJob(pass, timeMs);
  return outcome;
}

function scheduleOf({ cronJob: { spec }, event }: Pass): Schedule | undefined {
  try {
    return parseSchedule(spec.schedule, spec.timeZone);
  } catch (error) {
    event('Warning', 'UnparseableSchedule', `unparseable schedule: "${spec.schedule}" : ${messageOf(error)}`);
    return undefined;
  }
}

/** By the minute it was due: a second Job for the same time is refused by its name. */
const nameOf = ({ metadata }: CronJob, timeMs: number): string => `${metadata.name}-${Math.floor(timeMs / 60_000)}`;

async function createJob(pass: Pass, timeMs: number): Promise<void> {
  const { context, cronJob, status, event } = pass;
  const wanted = jobFor(cronJob, timeMs);
  let job: Job;
  try {
    job = await context.client.create(jobs, wanted);
    event('Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`);
  } catch (error) {
    if (isNamespaceTerminating(error)) return;
    if (!isAlreadyExists(error)) {
      event('Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
      throw error;
    }
    job = await context.client.get(jobs, { namespace: wanted.metadata.namespace, name: wanted.metadata.name! });
    // Ours, made just before a crash: taken up. Another's: its time is past, the next may find the name free.
    if (!isControlledBy(job, cronJob)) {
      event('Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
      return;
    }
  }
  status.lastScheduleTime = toTime(timeMs);
  const { name, namespace, uid, resourceVersion } = job.metadata;
  if (endOf(job) === undefined) status.active.push({ kind: 'Job', apiVersion: 'batch/v1', name, namespace, uid, resourceVersion });
}

function jobFor(cronJob: CronJob, timeMs: number): Job {
  const { jobTemplate, timeZone } = cronJob.spec;
  const { labels, annotations } = jobTemplate.metadata ?? {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: nameOf(cronJob, timeMs),
      namespace: cronJob.metadata.namespace,
      ...(labels && { labels }),
      annotations: { ...annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': localTime(timeMs, timeZone) },
      ownerReferences: [controllerReference(cronjobs, cronJob)],
    },
    spec: jobTemplate.spec,
  };
}

/** RFC 3339 with the zone's offset at that time. */
function localTime(ms: number, timeZone = 'UTC'): string {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'longOffset' }).formatToParts(ms);
  const offset = parts.find(({ type }) => type === 'timeZoneName')!.value.replace('GMT', '');
  if (offset === '' || offset === '+00:00') return toTime(ms);
  const [hours, minutes] = offset.slice(1).split(':').map(Number);
  const shiftMs = (offset.startsWith('-') ? -1 : 1) * (hours! * 60 + minutes!) * 60_000;
  return toTime(ms + shiftMs).replace('Z', offset);
}

async function forgetOldest(pass: Pass, owned: readonly Job[], how: 'Complete' | 'Failed', limit: number | undefined): Promise<void> {
  if (limit === undefined) return;
  const ended = owned
    .filter((job) => endOf(job) === how && job.metadata.deletionTimestamp === undefined)
    .sort((a, b) => startOf(a) - startOf(b) || (a.metadata.name! < b.metadata.name! ? -1 : 1));
  for (const { metadata } of ended.slice(0, Math.max(0, ended.length - limit))) await deleteJob(pass, metadata.name!);
}

const startOf = ({ metadata, status }: Job): number => Date.parse(status?.startTime ?? metadata.creationTimestamp ?? '');

async function deleteJob({ context, cronJob, event }: Pass, name: string): Promise<void> {
  try {
    await context.client.delete(jobs, { namespace: cronJob.metadata.namespace, name }, { propagationPolicy: 'Background' });
    event('Normal', 'SuccessfulDelete', `Deleted job ${name}`);
  } catch (error) {
    if (isNotFound(error)) return;
    event('Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`);
    throw error;
  }
}
