// Nodes that fall silent, on a real API server and a virtual clock.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Node } from '#api/generated/core-v1.ts';
import { events, leases, nodes, pods } from '#api/generated/resources.ts';
import { conditionOf } from '#api/meta/conditions.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { toMicroTime, toTime } from '#lib/clock.ts';
import { podGarbageCollector } from '../pod-gc/controller.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { addNode, pod, report, startTestCluster } from '#root/test/support/controllers-cluster.ts';
import { taintEvictionController } from '../taint-eviction/controller.ts';
import { nodeLifecycleController } from './controller.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([nodeLifecycleController(), taintEvictionController, podGarbageCollector]);
});
afterEach(() => cluster.stop());

const node = (name: string) => cluster.client.get(nodes, { name });
const taints = async (name: string) => ((await node(name)).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort();
const ready = ({ status }: Node) => conditionOf(status?.conditions, 'Ready');
const tolerationSeconds = (seconds: number) => [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds },
];
const addPod = async (name: string, on: string, tolerations: object[]) => {
  await cluster.client.create(pods, pod(name, {}, { spec: { tolerations } }));
  await report(cluster, [await cluster.client.get(pods, { namespace: 'default', name })], { node: on });
};
/** Nodes that renew their lease every ten seconds, as kubelets do, while `ms` passes. */
const live = async (ms: number, ...alive: string[]) => {
  for (let passed = 0; passed < ms; passed += 10_000) {
    for (const name of alive) {
      const ref = { namespace: 'kube-node-lease', name };
      const renewTime = toMicroTime(cluster.clock.now());
      const old = await cluster.client.get(leases, ref).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
      if (old !== undefined) await cluster.client.update(leases, { ...old, spec: { ...old.spec, renewTime } });
      else {
        const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime };
        await cluster.client.create(leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: ref, spec });
      }
    }
    await cluster.clock.advance(10_000);
  }
};
const isGoing = async (name: string) =>
  (await cluster.client.get(pods, { namespace: 'default', name })).metadata.deletionTimestamp !== undefined;

test('a silent node becomes Unknown and tainted, its pods not ready, and they are evicted after their toleration', async () => {
  await addNode(cluster, 'lost');
  await addNode(cluster, 'well');
  await addPod('short', 'lost', tolerationSeconds(60));
  await addPod('long', 'lost', tolerationSeconds(300));
  await addPod('forever', 'lost', [{ operator: 'Exists' }]);
  await addPod('elsewhere', 'well', tolerationSeconds(60));
  await live(40_000, 'well');
  assert.equal(ready(await node('lost'))?.status, 'True');
  await live(30_000, 'well');
  const unknown = ready(await node('lost'));
  assert.deepEqual(
    [unknown?.status, unknown?.reason, unknown?.message],
    ['Unknown', 'NodeStatusUnknown', 'Kubelet stopped posting node status.'],
  );
  assert.deepEqual(await taints('lost'), ['node.kubernetes.io/unreachable:NoExecute', 'node.kubernetes.io/unreachable:NoSchedule']);
  assert.deepEqual(await taints('well'), []);
  const short = await cluster.client.get(pods, { namespace: 'default', name: 'short' });
  assert.equal(conditionOf(short.status?.conditions, 'Ready')?.status, 'False');
  assert.equal(await isGoing('short'), false);
  await live(70_000, 'well');
  assert.deepEqual([await isGoing('short'), await isGoing('long')], [true, false]);
  await live(250_000, 'well');
  assert.deepEqual([await isGoing('long'), await isGoing('forever'), await isGoing('elsewhere')], [true, false, false]);
  const told = (await cluster.list(events)).map(({ reason, message }) => `${reason}: ${message}`);
  assert.ok(told.includes('NodeNotReady: Node lost status is now: NodeNotReady'));
  assert.ok(told.includes('TaintManagerEviction: Marking for deletion Pod default/short'));
  const evicted = await cluster.client.get(pods, { namespace: 'default', name: 'short' });
  assert.equal(conditionOf(evicted.status?.conditions, 'DisruptionTarget')?.reason, 'DeletionByTaintManager');
});

test('a node that comes back in time loses its taints, and nothing is evicted', async () => {
  await addNode(cluster, 'blinking');
  await addNode(cluster, 'well');
  await addPod('app', 'blinking', tolerationSeconds(300));
  await live(70_000, 'well');
  assert.equal((await taints('blinking')).length, 2);
  const back = await node('blinking');
  const now = toTime(cluster.clock.now());
  const conditions = back.status!.conditions!.map((condition) => ({
    ...condition,
    status: condition.type === 'Ready' ? 'True' : 'False',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  }));
  await cluster.client.update(nodes, { ...back, status: { ...back.status, conditions } }, { subresource: 'status' });
  await live(400_000, 'well', 'blinking');
  assert.deepEqual(await taints('blinking'), []);
  assert.equal(await isGoing('app'), false);
});

test('when every node is silent nothing is evicted: it is rather us who are cut off', async () => {
  await addNode(cluster, 'a');
  await addNode(cluster, 'b');
  await addPod('app', 'a', tolerationSeconds(0));
  await cluster.clock.advance(120_000);
  assert.deepEqual(await taints('a'), ['node.kubernetes.io/unreachable:NoSchedule']);
  assert.equal(await isGoing('app'), false);
});

test('conditions and cordoning become NoSchedule taints, and go with their cause; foreign taints stay', async () => {
  await addNode(cluster, 'n');
  const added = await node('n');
  const own = [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }];
  await cluster.client.update(nodes, { ...added, spec: { ...added.spec, unschedulable: true, taints: own } });
  await cluster.settle();
  assert.deepEqual(await taints('n'), ['dedicated:NoSchedule', 'node.kubernetes.io/unschedulable:NoSchedule']);
  const current = await node('n');
  const pressure = [...current.status!.conditions!, { type: 'MemoryPressure', status: 'True' }];
  await cluster.client.update(nodes, { ...current, status: { ...current.status, conditions: pressure } }, { subresource: 'status' });
  await cluster.client.patch(nodes, { name: 'n' }, { type: 'merge', body: { spec: { unschedulable: false } } });
  await cluster.settle();
  assert.deepEqual(await taints('n'), ['dedicated:NoSchedule', 'node.kubernetes.io/memory-pressure:NoSchedule']);
});

test('a pod that does not tolerate a NoExecute taint goes at once', async () => {
  const added = await addNode(cluster, 'n');
  await addPod('app', 'n', []);
  await cluster.client.update(nodes, {
    ...(await node('n')),
    spec: { ...added.spec, taints: [{ key: 'maintenance', effect: 'NoExecute' }] },
  });
  await cluster.settle();
  assert.equal(await isGoing('app'), true);
});

test('pods of a node that is gone for good are failed and removed', async () => {
  await addNode(cluster, 'gone');
  await addNode(cluster, 'well');
  await addPod('app', 'gone', [{ operator: 'Exists' }]);
  await addPod('other', 'well', [{ operator: 'Exists' }]);
  await cluster.client.delete(nodes, { name: 'gone' });
  await live(30_000, 'well');
  assert.deepEqual((await cluster.list(pods)).map(({ metadata }) => metadata.name!).sort(), ['app', 'other']);
  await live(60_000, 'well');
  assert.deepEqual(
    (await cluster.list(pods)).map(({ metadata }) => metadata.name),
    ['other'],
  );
});
