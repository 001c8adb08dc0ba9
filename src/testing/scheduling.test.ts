// Scheduling through the API of a whole cluster: what users see of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodSpec } from '#api/generated/core-v1.ts';
import { events, nodes, pods } from '#api/generated/resources.ts';
import { copyOf } from '#api/meta/object.ts';
import { createCluster } from './create-cluster.ts';
import { eventually } from './eventually.ts';

const pod = (name: string, spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'nginx' }], ...spec },
});
const scheduled = (which: Pod | undefined) => which?.status?.conditions?.find(({ type }) => type === 'PodScheduled');

test('the pod beyond a node’s limit stays Pending with upstream’s message, and runs when another is gone', async () => {
  await using cluster = await createCluster({ nodes: [{ pods: '4' }] });
  const { client } = cluster;
  for (const name of ['a', 'b', 'c', 'd']) await client.create(pods, pod(name));
  await eventually(client, pods, {}, (all) => assert.equal(all.filter(({ status }) => status?.phase === 'Running').length, 4));
  await client.create(pods, pod('e'));
  await eventually(client, pods, { fieldSelector: 'metadata.name=e' }, ([e]) => {
    assert.equal(e?.status?.phase, 'Pending');
    assert.deepEqual(
      [scheduled(e)?.status, scheduled(e)?.reason, scheduled(e)?.message],
      ['False', 'Unschedulable', '0/1 nodes are available: 1 Too many pods.'],
    );
  });
  await eventually(client, events, { fieldSelector: 'involvedObject.name=e' }, ([event]) => {
    assert.deepEqual(
      [event?.type, event?.reason, event?.message, event?.source?.component],
      ['Warning', 'FailedScheduling', '0/1 nodes are available: 1 Too many pods.', 'default-scheduler'],
    );
  });
  await client.delete(pods, { namespace: 'default', name: 'a' }, { gracePeriodSeconds: 0 });
  await eventually(client, pods, { fieldSelector: 'metadata.name=e' }, ([e]) => assert.equal(e?.status?.phase, 'Running'));
});

test('a pod waits for a node to be uncordoned', async () => {
  await using cluster = await createCluster({ nodes: [{ name: 'only' }] });
  const { client } = cluster;
  const cordon = async (unschedulable: boolean) => {
    const node = copyOf(await client.get(nodes, { name: 'only' }));
    node.spec.unschedulable = unschedulable;
    await client.update(nodes, node);
  };
  await cordon(true);
  await eventually(client, nodes, {}, ([node]) => assert.equal(node?.spec.unschedulable, true));
  await client.create(pods, pod('a'));
  await eventually(client, pods, {}, ([a]) =>
    assert.equal(scheduled(a)?.message, '0/1 nodes are available: 1 node(s) were unschedulable.'),
  );
  await cordon(false);
  await eventually(client, pods, {}, ([a]) => assert.equal(a?.status?.phase, 'Running'));
});

test('no node takes more than its allocatable, however many pods come at once', async () => {
  await using cluster = await createCluster({ nodes: [{ cpu: '1' }, { cpu: '1' }, { cpu: '1' }] });
  const { client } = cluster;
  const asking = { containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu: '300m' } } }] };
  await Promise.all(Array.from({ length: 20 }, (_, i) => client.create(pods, pod(`p${i}`, asking))));
  const all = await eventually(client, pods, {}, (found) => {
    assert.equal(found.filter(({ status }) => status?.phase === 'Running').length, 9);
    assert.equal(found.filter((one) => scheduled(one)?.reason === 'Unschedulable').length, 11);
  });
  const perNode = Map.groupBy(
    all.filter(({ spec }) => spec.nodeName),
    ({ spec }) => spec.nodeName,
  );
  assert.deepEqual(
    [...perNode.values()].map((held) => held.length),
    [3, 3, 3],
  );
});

test('a gated pod waits until its gates are removed', async () => {
  await using cluster = await createCluster();
  const { client } = cluster;
  await client.create(pods, pod('a', { schedulingGates: [{ name: 'example.com/quota' }] }));
  await eventually(client, pods, {}, ([a]) => assert.equal(scheduled(a)?.reason, 'SchedulingGated'));
  await client.patch(pods, { namespace: 'default', name: 'a' }, { type: 'json', body: [{ op: 'remove', path: '/spec/schedulingGates' }] });
  await eventually(client, pods, {}, ([a]) => assert.equal(a?.status?.phase, 'Running'));
});

test('a pod of another scheduler is left alone', async () => {
  await using cluster = await createCluster();
  const { client } = cluster;
  await client.create(pods, pod('other', { schedulerName: 'mine' }));
  await client.create(pods, pod('ours'));
  await eventually(client, pods, {}, (all) => assert.equal(all.find(({ metadata }) => metadata.name === 'ours')?.status?.phase, 'Running'));
  const other = await client.get(pods, { namespace: 'default', name: 'other' });
  assert.equal(other.spec.nodeName, undefined);
  assert.equal(scheduled(other), undefined);
});
