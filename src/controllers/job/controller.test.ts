// Jobs on a real API server: what runs, what counts, and how a Job ends.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Job, JobSpec } from '#api/generated/batch-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { events, jobs, pods } from '#api/generated/resources.ts';
import { toTime } from '#lib/clock.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { finishDeletions, startTestCluster } from '#root/test/support/controllers-cluster.ts';
import { garbageCollector } from '../garbage-collector/controller.ts';
import { podGarbageCollector } from '../pod-gc/controller.ts';
import { ttlAfterFinished } from '../ttl-after-finished/controller.ts';
import { jobController } from './controller.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([jobController, ttlAfterFinished, garbageCollector, podGarbageCollector]);
});
afterEach(() => cluster.stop());

const ref = { namespace: 'default', name: 'work' };
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } };
const create = async (spec: Partial<JobSpec> = {}) => {
  await cluster.client.create(jobs, { apiVersion: 'batch/v1', kind: 'Job', metadata: { ...ref }, spec: { template, ...spec } });
  await cluster.settle();
};
const get = () => cluster.client.get(jobs, ref);
const patch = async (spec: object) => {
  await cluster.client.patch(jobs, ref, { type: 'merge', body: { spec } });
  await cluster.settle();
};
const running = async () =>
  (await cluster.list(pods)).filter(
    ({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase !== 'Succeeded' && status?.phase !== 'Failed',
  );
const end = async (pod: Pod, phase: 'Succeeded' | 'Failed', exitCode = phase === 'Failed' ? 1 : 0, conditions: object[] = []) => {
  const now = toTime(cluster.clock.now());
  const terminated = { exitCode, startedAt: now, finishedAt: now };
  const containerStatuses = [{ name: 'main', ready: false, restartCount: 0, image: 'busybox', imageID: '', state: { terminated } }];
  const body = { status: { phase, containerStatuses, conditions } };
  await cluster.client.patch(pods, { namespace: 'default', name: pod.metadata.name! }, { type: 'merge', body }, { subresource: 'status' });
  await cluster.settle();
};
const endAll = async (phase: 'Succeeded' | 'Failed') => {
  for (const pod of await running()) await end(pod, phase);
};
const wait = async (seconds: number) => {
  await cluster.clock.advance(seconds * 1000);
  await cluster.settle();
};
const conditions = ({ status }: Job) => (status?.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value}:${reason}`);
const indexes = (all: Pod[]) => all.map(({ metadata }) => metadata.annotations!['batch.kubernetes.io/job-completion-index']!).sort();

test('a job runs as many pods at a time as it may, until it has its completions, each counted once', async () => {
  await create({ completions: 3, parallelism: 2 });
  assert.equal((await running()).length, 2);
  const { metadata, spec } = (await running())[0]!;
  assert.match(metadata.name!, /^work-[a-z0-9]{5}$/);
  assert.equal(metadata.labels!['batch.kubernetes.io/job-name'], 'work');
  assert.equal(metadata.labels!['controller-uid'], (await get()).metadata.uid);
  assert.deepEqual(metadata.finalizers, ['batch.kubernetes.io/job-tracking']);
  assert.equal(spec.restartPolicy, 'Never');
  await endAll('Succeeded');
  assert.equal((await running()).length, 1);
  assert.equal((await get()).status?.succeeded, 2);
  await endAll('Succeeded');
  const job = await get();
  assert.deepEqual(conditions(job), ['SuccessCriteriaMet=True:CompletionsReached', 'Complete=True:CompletionsReached']);
  assert.equal(job.status?.succeeded, 3);
  assert.equal(job.status?.completionTime, job.status?.conditions?.[1]?.lastTransitionTime);
  assert.equal(job.status?.uncountedTerminatedPods?.succeeded, undefined);
  assert.ok((await cluster.list(pods)).every((pod) => pod.metadata.finalizers === undefined));
  const messages = (await cluster.list(events)).map(({ message }) => message);
  assert.ok(messages.includes('Job completed') && messages.some((message) => message?.startsWith('Created pod: work-')));
});

test('failures are made good after 10 s, 20 s, …, until the backoff limit is exceeded', async () => {
  await create({ backoffLimit: 1 });
  await endAll('Failed');
  await wait(9);
  assert.equal((await running()).length, 0);
  await wait(2);
  assert.equal((await running()).length, 1);
  await endAll('Failed');
  const job = await get();
  assert.deepEqual(conditions(job), ['FailureTarget=True:BackoffLimitExceeded', 'Failed=True:BackoffLimitExceeded']);
  assert.equal(job.status?.failed, 2);
  assert.equal(job.status?.conditions?.[1]?.message, 'Job has reached the specified backoff limit');
});

test('a job past its deadline stops its pods, and is failed when they have ended', async () => {
  await create({ activeDeadlineSeconds: 30, parallelism: 2, completions: 2 });
  await wait(31);
  assert.equal((await running()).length, 0);
  await finishDeletions(cluster);
  const job = await get();
  assert.deepEqual(conditions(job), ['FailureTarget=True:DeadlineExceeded', 'Failed=True:DeadlineExceeded']);
  assert.deepEqual([job.status?.active, job.status?.failed], [undefined, 2]);
});

test('pods that never got a node end with their job, though only failed ones are replaced', async () => {
  await create({ activeDeadlineSeconds: 30, podReplacementPolicy: 'Failed' });
  await wait(31);
  assert.deepEqual([(await get()).status?.terminating, conditions(await get())], [1, ['FailureTarget=True:DeadlineExceeded']]);
  await wait(60);
  assert.deepEqual([await cluster.list(pods), (await get()).status?.failed], [[], 1]);
  assert.equal(conditions(await get())[1], 'Failed=True:DeadlineExceeded');
});

test('a suspended job gives up its pods without counting them, and starts again when resumed', async () => {
  await create({ parallelism: 2, completions: 2 });
  await patch({ suspend: true });
  await finishDeletions(cluster);
  const suspended = await get();
  assert.deepEqual(conditions(suspended), ['Suspended=True:JobSuspended']);
  assert.deepEqual([suspended.status?.startTime, suspended.status?.failed], [undefined, undefined]);
  assert.deepEqual(await cluster.list(pods), []);
  await patch({ suspend: false });
  assert.equal((await running()).length, 2);
  await endAll('Succeeded');
  assert.deepEqual(conditions(await get()), [
    'Suspended=False:JobResumed',
    'SuccessCriteriaMet=True:CompletionsReached',
    'Complete=True:CompletionsReached',
  ]);
});

test('an indexed job gives each index a pod that knows it, and again if it fails', async () => {
  await create({ completionMode: 'Indexed', completions: 4, parallelism: 3 });
  const first = await running();
  assert.deepEqual(indexes(first), ['0', '1', '2']);
  const one = first.find(({ metadata }) => metadata.labels!['batch.kubernetes.io/job-completion-index'] === '1')!;
  assert.match(one.metadata.name!, /^work-1-[a-z0-9]{5}$/);
  assert.equal(one.spec.hostname, 'work-1');
  assert.equal(one.spec.containers[0]!.env![0]!.name, 'JOB_COMPLETION_INDEX');
  for (const pod of first) await end(pod, pod === one ? 'Failed' : 'Succeeded');
  assert.equal((await get()).status?.completedIndexes, '0,2');
  await wait(11);
  assert.deepEqual(indexes(await running()), ['1', '3']);
  await endAll('Succeeded');
  const job = await get();
  assert.deepEqual([job.status?.completedIndexes, job.status?.succeeded, job.status?.failed], ['0-3', 4, 1]);
});

test('with a limit per index the others go on, and the job fails at the end with the indexes that did', async () => {
  await create({ completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 1 });
  for (const pod of await running()) await end(pod, indexes([pod])[0] === '0' ? 'Failed' : 'Succeeded');
  await wait(11);
  const [again] = await running();
  assert.equal(again!.metadata.annotations!['batch.kubernetes.io/job-index-failure-count'], '1');
  await endAll('Failed');
  const job = await get();
  assert.deepEqual([job.status?.failedIndexes, job.status?.completedIndexes], ['0', '1']);
  assert.deepEqual(conditions(job), ['FailureTarget=True:FailedIndexes', 'Failed=True:FailedIndexes']);
});

test('the pod failure policy ignores disruptions, and fails the job at once for the exit code that it names', async () => {
  const rules = [
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
    { action: 'FailJob', onExitCodes: { containerName: 'main', operator: 'In', values: [42] } },
  ];
  await create({ backoffLimit: 0, podFailurePolicy: { rules } });
  const [disrupted] = await running();
  await end(disrupted!, 'Failed', 137, [{ type: 'DisruptionTarget', status: 'True' }]);
  await wait(11);
  const [next] = await running();
  assert.equal((await get()).status?.failed, undefined);
  await end(next!, 'Failed', 42);
  const job = await get();
  assert.deepEqual(conditions(job), ['FailureTarget=True:PodFailurePolicy', 'Failed=True:PodFailurePolicy']);
  const message = `Container main for pod default/${next!.metadata.name} failed with exit code 42 matching FailJob rule at index 1`;
  assert.equal(job.status?.conditions?.[0]?.message, message);
});

test('the success policy ends a job as soon as a rule holds, and stops the rest', async () => {
  const successPolicy = { rules: [{ succeededIndexes: '0' }] };
  await create({ completionMode: 'Indexed', completions: 3, parallelism: 3, successPolicy });
  for (const pod of await running()) if (indexes([pod])[0] === '0') await end(pod, 'Succeeded');
  await finishDeletions(cluster);
  const job = await get();
  assert.deepEqual(conditions(job), ['SuccessCriteriaMet=True:SuccessPolicy', 'Complete=True:SuccessPolicy']);
  assert.equal(job.status?.conditions?.[0]?.message, 'Matched rules at index 0');
  assert.deepEqual([job.status?.completedIndexes, await running()], ['0', []]);
});

test('a job of another manager is left alone; a finished one is deleted with its pods when its time is over', async () => {
  await create({ managedBy: 'example.com/queue' });
  assert.deepEqual([await cluster.list(pods), (await get()).status], [[], {}]);
  await cluster.client.delete(jobs, ref, { propagationPolicy: 'Background' });
  await create({ ttlSecondsAfterFinished: 60 });
  await endAll('Succeeded');
  await wait(59);
  assert.equal((await cluster.list(jobs)).length, 1);
  await wait(2);
  assert.deepEqual([await cluster.list(jobs), await cluster.list(pods)], [[], []]);
});

test('deleting a job lets go of its pods', async () => {
  await create({ parallelism: 2, completions: 2 });
  await cluster.client.delete(jobs, ref, { propagationPolicy: 'Background' });
  await cluster.settle();
  await finishDeletions(cluster);
  assert.deepEqual(await cluster.list(pods), []);
});
