// Cron jobs on a real API server and a virtual clock: what starts when, and what is kept.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { CronJob, CronJobSpec } from '#api/generated/batch-v1.ts';
import { cronjobs, events, jobs, pods } from '#api/generated/resources.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { startTestCluster } from '#root/test/support/controllers-cluster.ts';
import { garbageCollector } from '../garbage-collector/controller.ts';
import { jobController } from '../job/controller.ts';
import { cronJobController } from './controller.ts';
import { dueOf } from './due.ts';
import { parseSchedule } from '#api/batch/schedule.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([cronJobController, jobController, garbageCollector]);
});
afterEach(() => cluster.stop());

const ref = { namespace: 'default', name: 'tick' };
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } };
const cronJob = (spec: Partial<CronJobSpec> = {}): CronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { ...ref },
  spec: { schedule: '*/10 * * * *', jobTemplate: { metadata: { labels: { app: 'tick' } }, spec: { template } }, ...spec },
});
const create = async (spec: Partial<CronJobSpec> = {}) => {
  await cluster.client.create(cronjobs, cronJob(spec));
  await cluster.settle();
};
const wait = async (minutes: number) => {
  await cluster.clock.advance(minutes * 60_000);
  await cluster.settle();
};
const endAll = async (phase: string) => {
  for (const { metadata, status } of await cluster.list(pods)) {
    if (status?.phase !== 'Pending') continue;
    const pod = { namespace: 'default', name: metadata.name! };
    await cluster.client.patch(pods, pod, { type: 'merge', body: { status: { phase } } }, { subresource: 'status' });
  }
  await cluster.settle();
};
const times = async () =>
  (await cluster.list(jobs)).map(({ metadata }) => metadata.annotations!['batch.kubernetes.io/cronjob-scheduled-timestamp']);
const messages = async () => (await cluster.list(events)).map(({ message }) => message);

test('a job is started at each time of the schedule, named by its minute, and known in the status until it has ended', async () => {
  await create({ timeZone: 'Asia/Kolkata' });
  await wait(10);
  const [job] = await cluster.list(jobs);
  assert.equal(job!.metadata.name, `tick-${Date.UTC(2026, 0, 1, 0, 10) / 60_000}`);
  assert.deepEqual(await times(), ['2026-01-01T05:40:00+05:30']);
  assert.equal(job!.metadata.labels!['app'], 'tick');
  const started = await cluster.client.get(cronjobs, ref);
  assert.deepEqual(
    started.status?.active?.map(({ name, kind }) => `${kind}/${name}`),
    [`Job/${job!.metadata.name}`],
  );
  assert.equal(started.status?.lastScheduleTime, '2026-01-01T00:10:00Z');
  await endAll('Succeeded');
  const ended = await cluster.client.get(cronjobs, ref);
  assert.equal(ended.status?.active, undefined);
  assert.match(ended.status?.lastSuccessfulTime ?? '', /^2026-01-01T00:10:/);
  const said = await messages();
  assert.ok(said.includes(`Created job ${job!.metadata.name}`));
  assert.ok(said.includes(`Saw completed job: ${job!.metadata.name}, condition: Complete`));
});

test('Forbid waits for the one that runs, Replace ends it, Allow runs both', async () => {
  await create({ concurrencyPolicy: 'Forbid' });
  await wait(25);
  assert.deepEqual(await times(), ['2026-01-01T00:10:00Z']);
  assert.ok((await messages()).some((message) => message?.includes('concurrency policy is Forbid')));
  const change = (concurrencyPolicy: string) =>
    cluster.client.patch(cronjobs, ref, { type: 'merge', body: { spec: { concurrencyPolicy } } });
  await change('Replace');
  await wait(10);
  assert.deepEqual(await times(), ['2026-01-01T00:30:00Z']);
  await change('Allow');
  await wait(10);
  assert.deepEqual(await times(), ['2026-01-01T00:30:00Z', '2026-01-01T00:40:00Z']);
});

test('as many finished jobs are kept as the limits say', async () => {
  await create({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 0, jobTemplate: { spec: { template, backoffLimit: 0 } } });
  for (let round = 1; round <= 4; round++) {
    await wait(10);
    await endAll(round === 3 ? 'Failed' : 'Succeeded');
  }
  assert.deepEqual(await times(), ['2026-01-01T00:20:00Z', '2026-01-01T00:40:00Z']);
});

test('a suspended one starts nothing, and resumed it starts the latest time that it missed, once', async () => {
  await create({ suspend: true });
  await wait(35);
  assert.deepEqual(await times(), []);
  await cluster.client.patch(cronjobs, ref, { type: 'merge', body: { spec: { suspend: false } } });
  await cluster.settle();
  assert.deepEqual(await times(), ['2026-01-01T00:30:00Z']);
  await wait(1);
  assert.equal((await times()).length, 1);
});

test('past the starting deadline a time is let go; more than a hundred missed ones are told', () => {
  const created = { ...cronJob(), metadata: { ...ref, creationTimestamp: '2026-01-01T00:00:00Z' } };
  const at = (spec: Partial<CronJobSpec>, now: string) =>
    dueOf({ ...created, spec: { ...created.spec, ...spec } }, parseSchedule('*/10 * * * *'), Date.parse(now));
  assert.equal(at({ startingDeadlineSeconds: 60 }, '2026-01-01T00:15:00Z').timeMs, undefined);
  assert.equal(at({ startingDeadlineSeconds: 600 }, '2026-01-01T00:15:00Z').timeMs, Date.UTC(2026, 0, 1, 0, 10));
  assert.deepEqual(at({}, '2026-02-01T00:05:00Z'), {
    timeMs: Date.UTC(2026, 1, 1, 0, 0),
    tooMany: true,
    nextMs: Date.UTC(2026, 1, 1, 0, 10),
  });
});

test('deleting it takes its jobs along', async () => {
  await create();
  await wait(10);
  await cluster.client.delete(cronjobs, ref, { propagationPolicy: 'Background' });
  await wait(1);
  assert.deepEqual(await cluster.list(jobs), []);
});
