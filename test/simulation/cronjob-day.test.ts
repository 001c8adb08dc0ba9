// A whole cluster on a virtual clock lives a day of CronJobs in seconds: scheduler, kubelet, controllers and all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CronJobSpec } from '#api/generated/batch-v1.ts';
import { cronjobs, jobs } from '#api/generated/resources.ts';
import { seededRandom } from '#lib/random.ts';
import { virtualClock } from '#lib/virtual-clock.ts';
import { createCluster } from '#root/src/testing/create-cluster.ts';

const day = 24 * 3_600_000;

test('a day of cron jobs: each time once, each job to its end, each history as long as asked', async () => {
  const clock = virtualClock(Date.UTC(2026, 0, 1));
  const starting = createCluster({ clock, random: seededRandom(7), nodes: 1 });
  let cluster: Awaited<typeof starting> | undefined;
  void starting.then((started) => (cluster = started));
  while (cluster === undefined) await clock.advance(100);
  const { client } = cluster;
  const command = ['sleep', '30'];
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox', command }] } };
  const create = (name: string, spec: Partial<CronJobSpec>) =>
    client.create(cronjobs, {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name, namespace: 'default' },
      spec: { schedule: '', jobTemplate: { spec: { template } }, ...spec },
    });
  await create('hourly', { schedule: '@hourly', successfulJobsHistoryLimit: 100 });
  await create('often', { schedule: '*/15 * * * *', successfulJobsHistoryLimit: 1 });
  await create('berlin', { schedule: '30 6 * * *', timeZone: 'Europe/Berlin', successfulJobsHistoryLimit: 100 });
  let ran = 0;
  let last = '';
  const watch = client.watch(jobs, {}, (changes) => {
    for (const change of changes) {
      if (change.type === 'ADDED') ran++;
      if (change.type === 'ADDED') last = change.object.metadata.name!;
    }
  });
  for (let passed = 0; passed <= day + 60_000; passed += 60_000) await clock.advance(60_000);
  watch.close();
  const { items } = await client.list(jobs, { namespace: 'default' });
  const named = (prefix: string) => items.filter(({ metadata }) => metadata.name!.startsWith(prefix));
  assert.deepEqual([named('hourly').length, named('often').length, named('berlin').length], [24, 1, 1]);
  assert.equal(ran, 24 + 96 + 1, `the last was ${last}`);
  for (const { metadata, status } of items) {
    assert.equal(status?.succeeded, 1, `${metadata.name} has succeeded`);
    assert.ok(Date.parse(status!.completionTime!) - Date.parse(status!.startTime!) >= 30_000);
  }
  const [berlin] = named('berlin');
  assert.equal(berlin!.metadata.annotations!['batch.kubernetes.io/cronjob-scheduled-timestamp'], '2026-01-01T06:30:00+01:00');
  const stopping = cluster.stop();
  let stopped = false;
  void stopping.then(() => (stopped = true));
  while (!stopped) await clock.advance(100);
});
