// Garbage collection on a real API server: which objects survive whom.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { ConfigMap } from '#api/generated/core-v1.ts';
import { configmaps, pods, replicasets } from '#api/generated/resources.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { finishDeletions, report, startTestCluster, template } from '#root/test/support/controllers-cluster.ts';
import { replicaSetController } from '../replicaset/controller.ts';
import { garbageCollector } from './controller.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([garbageCollector]);
});
afterEach(() => cluster.stop());

const own = (owner: KubeObject, blockOwnerDeletion = false) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: owner.metadata.name!,
  uid: owner.metadata.uid!,
  blockOwnerDeletion,
});
const add = async (name: string, ...owners: ReturnType<typeof own>[]): Promise<ConfigMap> => {
  const metadata = { name, namespace: 'default', ...(owners.length > 0 && { ownerReferences: owners }) };
  const created = await cluster.client.create(configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  await cluster.settle();
  return created;
};
const remove = async (name: string, propagationPolicy: 'Orphan' | 'Background' | 'Foreground') => {
  await cluster.client.delete(configmaps, { namespace: 'default', name }, { propagationPolicy });
  await cluster.settle();
};
const names = async () => (await cluster.list(configmaps)).map(({ metadata }) => metadata.name!).sort();

test('background: dependents follow their owner, to any depth', async () => {
  const owner = await add('owner');
  const child = await add('child', own(owner));
  await add('grandchild', own(child));
  await add('stranger');
  await remove('owner', 'Background');
  assert.deepEqual(await names(), ['stranger']);
});

test('orphan: dependents stay and lose only the reference to their owner', async () => {
  const owner = await add('owner');
  const other = await add('other');
  await add('child', own(owner), own(other));
  await add('only-child', own(owner));
  await remove('owner', 'Orphan');
  assert.deepEqual(await names(), ['child', 'only-child', 'other']);
  const [child, ,] = await cluster.list(configmaps);
  assert.deepEqual(
    child!.metadata.ownerReferences?.map(({ name }) => name),
    ['other'],
  );
});

test('foreground: the owner stays until the dependents that block it are gone', async () => {
  const owner = await add('owner');
  const child = await add('child', own(owner, true));
  await add('loose', own(owner, false));
  const body = { metadata: { finalizers: ['example.com/hold'] } };
  await cluster.client.patch(configmaps, { namespace: 'default', name: 'child' }, { type: 'merge', body });
  await remove('owner', 'Foreground');
  assert.deepEqual(await names(), ['child', 'loose', 'owner']);
  const held = await cluster.client.get(configmaps, { namespace: 'default', name: 'child' });
  assert.equal(held.metadata.uid, child.metadata.uid);
  assert.notEqual(held.metadata.deletionTimestamp, undefined);
  await cluster.client.patch(
    configmaps,
    { namespace: 'default', name: 'child' },
    { type: 'merge', body: { metadata: { finalizers: null } } },
  );
  await cluster.settle();
  assert.deepEqual(await names(), []);
});

test('an object with one living owner stays and forgets the dead one', async () => {
  const dead = await add('dead');
  const alive = await add('alive');
  await add('child', own(dead), own(alive));
  await remove('dead', 'Background');
  assert.deepEqual(await names(), ['alive', 'child']);
  const child = await cluster.client.get(configmaps, { namespace: 'default', name: 'child' });
  assert.deepEqual(
    child.metadata.ownerReferences?.map(({ name }) => name),
    ['alive'],
  );
});

test('an owner that never was, or another object of its name, keeps nothing alive', async () => {
  const owner = await add('owner');
  await add('child', { ...own(owner), uid: 'somebody-else' });
  await add('lost', { ...own(owner), name: 'never', uid: 'never' });
  assert.deepEqual(await names(), ['owner']);
});

test('an owner of a kind that is not served leaves its dependents alone', async () => {
  await add('child', { apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: 'w', blockOwnerDeletion: false });
  await cluster.clock.advance(60_000);
  assert.deepEqual(await names(), ['child']);
});

test('two objects that own each other are both deleted in the foreground', async () => {
  const a = await add('a');
  const b = await add('b', own(a, true));
  await cluster.client.patch(
    configmaps,
    { namespace: 'default', name: 'a' },
    { type: 'merge', body: { metadata: { ownerReferences: [own(b, true)] } } },
  );
  await remove('a', 'Foreground');
  await cluster.clock.advance(5000);
  assert.deepEqual(await names(), []);
});

test('deleting a replica set deletes its pods; orphaning leaves them running', async () => {
  await cluster.stop();
  cluster = await startTestCluster([garbageCollector, replicaSetController]);
  const create = (name: string) =>
    cluster.client.create(replicasets, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name, namespace: 'default' },
      spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: template('nginx', { app: name }) },
    });
  await create('gone');
  await create('kept');
  await cluster.settle();
  await report(cluster, await cluster.list(pods));
  await cluster.client.delete(replicasets, { namespace: 'default', name: 'gone' }, { propagationPolicy: 'Background' });
  await cluster.client.delete(replicasets, { namespace: 'default', name: 'kept' }, { propagationPolicy: 'Orphan' });
  await cluster.settle();
  await finishDeletions(cluster);
  const left = await cluster.list(pods);
  assert.deepEqual(
    left.map(({ metadata }) => metadata.labels!['app']),
    ['kept', 'kept'],
  );
  assert.ok(left.every(({ metadata }) => (metadata.ownerReferences ?? []).length === 0));
  assert.deepEqual(await cluster.list(replicasets), []);
});
