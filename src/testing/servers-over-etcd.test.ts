// Two API servers over one etcd: what one has written every other one reads, lists and tells its watchers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap } from '#api/generated/core-v1.ts';
import { configmaps } from '#api/generated/resources.ts';
import { isReason } from '#api/meta/errors.ts';
import { systemClock as clock } from '#lib/clock.ts';
import { etcdIsMissing, startEtcd, untilEtcdAnswers } from '#root/test/support/etcd.ts';
import { openEtcdStore } from '#store/etcd.ts';
import { createCluster } from './create-cluster.ts';

const skip = await etcdIsMissing();
const configMap = (name: string, data: Record<string, string>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});

test('what is written on one API server is read, listed and watched on another', { skip }, async (t) => {
  await using etcd = await startEtcd();
  await untilEtcdAnswers({ endpoints: etcd.endpoints });
  const stores = [openEtcdStore({ endpoints: etcd.endpoints, clock }), openEtcdStore({ endpoints: etcd.endpoints, clock })];
  t.after(() => Promise.all(stores.map((store) => store.close())));
  await using one = await createCluster({ nodes: 0, store: stores[0]! });
  await using other = await createCluster({ nodes: 0, store: stores[1]! });
  const heard: string[] = [];
  const told = Promise.withResolvers<void>();
  const { metadata } = await other.client.list(configmaps, { namespace: 'default', labelSelector: 'from=test' });
  const watch = other.client.watch(configmaps, { namespace: 'default', resourceVersion: metadata.resourceVersion! }, (events) => {
    for (const event of events) {
      if (event.type === 'BOOKMARK' || !/^c\d/.test(event.object.metadata.name!)) continue;
      heard.push(`${event.type} ${event.object.metadata.name} ${event.object.metadata.resourceVersion}`);
      if (event.type === 'DELETED') told.resolve();
    }
  });

  const expected: string[] = [];
  for (let i = 0; i < 20; i++) {
    const name = `c${i}`;
    const created = await one.client.create(configmaps, configMap(name, { i: `${i}` }));
    assert.deepEqual(await other.client.get(configmaps, { namespace: 'default', name }), created);
    const updated = await other.client.update(configmaps, { ...created, data: { i: 'changed' } });
    const listed = await one.client.list(configmaps, { namespace: 'default', fieldSelector: `metadata.name=${name}` });
    assert.deepEqual(listed.items, [updated]);
    // What was read before the other one's write is no ground for a write.
    await assert.rejects(one.client.update(configmaps, { ...created, data: { i: 'lost' } }), (error) => isReason(error, 'Conflict'));
    expected.push(`ADDED ${name} ${created.metadata.resourceVersion}`, `MODIFIED ${name} ${updated.metadata.resourceVersion}`);
  }
  await one.client.delete(configmaps, { namespace: 'default', name: 'c0' });
  await told.promise;
  watch.close();
  assert.deepEqual(heard.slice(0, -1), expected);
  assert.match(heard.at(-1)!, /^DELETED c0 /);
});
