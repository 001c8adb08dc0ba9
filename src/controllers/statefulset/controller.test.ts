// Stateful sets on a real API server: names, order, rollouts, claims.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { StatefulSet, StatefulSetSpec } from '#api/generated/apps-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { controllerrevisions, events, persistentvolumeclaims, pods, statefulsets } from '#api/generated/resources.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { finishDeletions, pod, report, startTestCluster, template } from '#root/test/support/controllers-cluster.ts';
import { garbageCollector } from '../garbage-collector/controller.ts';
import { claimProtection } from '../volume-protection/controller.ts';
import { statefulSetController } from './controller.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([statefulSetController, garbageCollector, claimProtection]);
});
afterEach(() => cluster.stop());

const ref = { namespace: 'default', name: 'db' };
const create = async (spec: Partial<StatefulSetSpec> = {}) => {
  const selector = { matchLabels: { app: 'web' } };
  await cluster.client.create(statefulsets, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { ...ref },
    spec: { replicas: 3, serviceName: 'db', selector, template: template(), ...spec },
  });
  await cluster.settle();
};
const get = () => cluster.client.get(statefulsets, ref);
const patch = async (spec: object): Promise<StatefulSet> => {
  await cluster.client.patch(statefulsets, ref, { type: 'merge', body: { spec } });
  await cluster.settle();
  return get();
};
const all = () => cluster.list(pods);
const names = async () => (await all()).map(({ metadata }) => metadata.name!).sort();
const going = async () => (await all()).filter(({ metadata }) => metadata.deletionTimestamp).map(({ metadata }) => metadata.name);
const isReady = ({ status }: Pod) => status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
const waiting = async () => (await all()).filter((one) => !isReady(one) && one.metadata.deletionTimestamp === undefined);
const rollOut = async () => {
  for (let next = await waiting(); next.length > 0 || (await going()).length > 0; next = await waiting()) {
    await report(cluster, next);
    await finishDeletions(cluster);
  }
};
const images = async () => Object.fromEntries((await all()).map(({ metadata, spec }) => [metadata.name, spec.containers[0]!.image]));

test('pods come one after the other, each when the one before is ready, and go in reverse', async () => {
  await create();
  for (const expected of [['db-0'], ['db-0', 'db-1'], ['db-0', 'db-1', 'db-2']]) {
    assert.deepEqual(await names(), expected);
    await report(cluster, await waiting());
  }
  const [revision] = await cluster.list(controllerrevisions);
  const { metadata, spec } = (await all())[1]!;
  assert.deepEqual(metadata.labels, {
    app: 'web',
    'apps.kubernetes.io/pod-index': '1',
    'controller-revision-hash': revision!.metadata.name,
    'statefulset.kubernetes.io/pod-name': 'db-1',
  });
  assert.deepEqual([spec.hostname, spec.subdomain], ['db-1', 'db']);
  assert.deepEqual((await get()).status, {
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    currentRevision: revision!.metadata.name,
    updateRevision: revision!.metadata.name,
    collisionCount: 0,
  });
  await patch({ replicas: 1 });
  assert.deepEqual(await going(), ['db-2'], 'db-1 stays until db-2 is gone');
  await finishDeletions(cluster);
  assert.deepEqual(await going(), ['db-1']);
  await finishDeletions(cluster);
  assert.deepEqual(await names(), ['db-0']);
});

test('in parallel they come and go at once, from the first ordinal that is asked for', async () => {
  await create({ podManagementPolicy: 'Parallel', ordinals: { start: 5 } });
  assert.deepEqual(await names(), ['db-5', 'db-6', 'db-7']);
  await patch({ replicas: 1 });
  await finishDeletions(cluster);
  assert.deepEqual(await names(), ['db-5']);
});

test('an update goes from the highest ordinal down to the partition; below it pods come back as they were', async () => {
  await create({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } });
  await rollOut();
  await patch({ template: template('nginx:2') });
  assert.deepEqual(await going(), ['db-2']);
  await finishDeletions(cluster);
  assert.deepEqual(await going(), [], 'db-1 waits until db-2 is ready');
  await rollOut();
  assert.deepEqual(await images(), { 'db-0': 'nginx:1', 'db-1': 'nginx:2', 'db-2': 'nginx:2' });
  const { status } = await get();
  assert.notEqual(status!.currentRevision, status!.updateRevision);
  assert.deepEqual([status!.currentReplicas, status!.updatedReplicas], [1, 2]);
  await cluster.client.delete(pods, { namespace: 'default', name: 'db-0' }, { gracePeriodSeconds: 0 });
  await cluster.settle();
  await rollOut();
  assert.equal((await images())['db-0'], 'nginx:1');
  await patch({ updateStrategy: { rollingUpdate: { partition: 0 } } });
  await rollOut();
  assert.deepEqual(await images(), { 'db-0': 'nginx:2', 'db-1': 'nginx:2', 'db-2': 'nginx:2' });
  const done = (await get()).status!;
  assert.equal(done.currentRevision, done.updateRevision);
});

test('with OnDelete nothing is replaced until somebody deletes it', async () => {
  await create({ updateStrategy: { type: 'OnDelete' } });
  await rollOut();
  await patch({ template: template('nginx:2') });
  assert.deepEqual(await going(), []);
  await cluster.client.delete(pods, { namespace: 'default', name: 'db-1' }, { gracePeriodSeconds: 0 });
  await cluster.settle();
  await rollOut();
  assert.deepEqual(await images(), { 'db-0': 'nginx:1', 'db-1': 'nginx:2', 'db-2': 'nginx:1' });
});

test('a failed pod is made again; a pod of the name that is not ours is waited for', async () => {
  await cluster.client.create(pods, pod('db-1', { app: 'other' }));
  await create();
  await report(cluster, [(await all()).find(({ metadata }) => metadata.name === 'db-0')!]);
  const stranger = (await all()).find(({ metadata }) => metadata.name === 'db-1')!;
  assert.deepEqual(stranger.metadata.labels, { app: 'other' });
  await cluster.client.delete(pods, { namespace: 'default', name: 'db-1' }, { gracePeriodSeconds: 0 });
  await cluster.clock.advance(120_000);
  await cluster.settle();
  const [mine] = await waiting();
  assert.equal(mine?.metadata.labels?.['apps.kubernetes.io/pod-index'], '1');
  await report(cluster, [mine!], { phase: 'Failed', ready: false });
  await finishDeletions(cluster);
  const again = (await all()).find(({ metadata }) => metadata.name === 'db-1');
  assert.notEqual(again?.metadata.uid, mine!.metadata.uid);
  const messages = (await cluster.list(events)).map(({ message }) => message);
  assert.ok(messages.includes('StatefulSet default/db is recreating failed Pod db-1'), messages.join('\n'));
  assert.ok(messages.includes('create Pod db-0 in StatefulSet db successful'));
});

test('claims come before the pod, outlive it, and go with it or with the set where the policy says so', async () => {
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  const claims = async () => (await cluster.list(persistentvolumeclaims)).map(({ metadata }) => metadata.name!).sort();
  await create({ volumeClaimTemplates: [claim], replicas: 2 });
  await rollOut();
  assert.deepEqual(await claims(), ['data-db-0', 'data-db-1']);
  const [first] = await all();
  assert.deepEqual(first!.spec.volumes?.[0], { name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } });
  await patch({ replicas: 1 });
  await rollOut();
  assert.deepEqual(await claims(), ['data-db-0', 'data-db-1'], 'kept for when db-1 comes back');
  await patch({ replicas: 2, persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' } });
  await rollOut();
  await patch({ replicas: 1 });
  await rollOut();
  await cluster.clock.advance(5000);
  await cluster.settle();
  assert.deepEqual(await claims(), ['data-db-0']);
  await cluster.client.delete(statefulsets, ref);
  await cluster.settle();
  await finishDeletions(cluster);
  await cluster.clock.advance(5000);
  await cluster.settle();
  assert.deepEqual(await claims(), []);
});
