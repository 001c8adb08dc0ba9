// A Job's books are exact though its controller dies at any write, before or after the server took it, and another takes over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobSpec } from '#api/generated/batch-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { jobs, pods } from '#api/generated/resources.ts';
import type { Client } from '#client/client.ts';
import { silentLog } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { seededRandom } from '#lib/random.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { finishDeletions, startTestCluster } from '#root/test/support/controllers-cluster.ts';
import { startControllerManager } from '../runtime/manager.ts';
import { jobController } from './controller.ts';

const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } };

/** Lives for a few writes; the last one may still reach the server, but its answer is lost. */
function mortal(client: Client, random: Random): { client: Client; isDead: () => boolean } {
  let left = 1 + Math.floor(random.next() * 6);
  const write = <Args extends unknown[], Answer>(call: (...args: Args) => Promise<Answer>) => {
    return async (...args: Args): Promise<Answer> => {
      if (left <= 0) throw new Error('the controller is dead');
      left--;
      if (left > 0) return await call(...args);
      if (random.next() < 0.5) await call(...args);
      throw new Error('the controller died');
    };
  };
  const { create, update, patch, delete: remove } = client;
  const wrapped = { ...client, create: write(create), update: write(update), patch: write(patch), delete: write(remove) };
  return { client: wrapped as Client, isDead: () => left <= 0 };
}

async function play(cluster: TestCluster, random: Random, failureRate: number): Promise<void> {
  for (const pod of await cluster.list(pods)) {
    const isOver = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (isOver || pod.metadata.deletionTimestamp !== undefined || random.next() < 0.5) continue;
    const phase = random.next() < failureRate ? 'Failed' : 'Succeeded';
    const ref = { namespace: 'default', name: pod.metadata.name! };
    await cluster.client.patch(pods, ref, { type: 'merge', body: { status: { phase } } }, { subresource: 'status' });
  }
}

async function run(seed: number, spec: Partial<JobSpec>, failureRate: number) {
  const cluster = await startTestCluster([]);
  const random = seededRandom(seed);
  const { client, clock, resources } = cluster;
  const start = () => {
    const life = mortal(client, random);
    const clientFor = () => life.client;
    const options = { client, clientFor, controllers: [jobController], clock, random, log: silentLog, resources, rootCa: '' };
    return { ...life, manager: startControllerManager(options) };
  };
  const ref = { namespace: 'default', name: 'work' };
  await client.create(jobs, { apiVersion: 'batch/v1', kind: 'Job', metadata: ref, spec: { template, backoffLimit: 1000, ...spec } });
  let deaths = 0;
  let controller = start();
  const isDone = async () => (await client.get(jobs, ref)).status?.conditions?.some(({ type }) => type === 'Complete' || type === 'Failed');
  const ever = new Map<string, Pod>();
  for (let round = 0; round < 400 && !(await isDone()); round++) {
    await cluster.settle();
    await play(cluster, random, failureRate);
    await finishDeletions(cluster);
    await clock.advance(1000 + random.next() * 60_000);
    for (const pod of await cluster.list(pods)) ever.set(pod.metadata.uid!, pod);
    if (!controller.isDead()) continue;
    deaths++;
    await controller.manager.stop();
    controller = start();
  }
  await controller.manager.stop();
  const job = await client.get(jobs, ref);
  await cluster.stop();
  const ended = (phase: string) => [...ever.values()].filter(({ status }) => status?.phase === phase).length;
  return { job, deaths, succeeded: ended('Succeeded'), failed: ended('Failed') };
}

for (const seed of [1, 2, 3, 4]) {
  test(`exactly as many completions as asked for, and every failure counted once (seed ${seed})`, async () => {
    const { job, deaths, succeeded, failed } = await run(seed, { completions: 12, parallelism: 4 }, 0.3);
    assert.ok(deaths > 3, `${deaths} deaths`);
    assert.equal(job.status?.succeeded, 12);
    assert.equal(succeeded, 12, 'no pod ran to its success in vain');
    assert.equal(job.status?.failed ?? 0, failed);
  });

  test(`every index is completed once (seed ${seed})`, async () => {
    const { job, deaths, succeeded } = await run(seed, { completions: 10, parallelism: 3, completionMode: 'Indexed' }, 0.2);
    assert.ok(deaths > 3, `${deaths} deaths`);
    assert.deepEqual([job.status?.completedIndexes, job.status?.succeeded, succeeded], ['0-9', 10, 10]);
  });
}
