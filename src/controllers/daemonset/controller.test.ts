// Daemon sets on a real API server: which nodes get a pod, and how a new template reaches them.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { DaemonSet, DaemonSetSpec } from '#api/generated/apps-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { controllerrevisions, daemonsets, events, nodes, pods } from '#api/generated/resources.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { addNode, finishDeletions, report, startTestCluster, template } from '#root/test/support/controllers-cluster.ts';
import { daemonSetController } from './controller.ts';
import { targetNode } from './placement.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([daemonSetController]);
  for (const name of ['node-1', 'node-2', 'node-3']) await addReadyNode(name);
});
afterEach(() => cluster.stop());

/** Without the taint that a node is born with. */
const addReadyNode = async (name: string) => {
  await addNode(cluster, name);
  await cluster.client.patch(nodes, { name }, { type: 'merge', body: { spec: { taints: null } } });
  await cluster.settle();
};
const ref = { namespace: 'default', name: 'agent' };
const create = async (spec: Partial<DaemonSetSpec> = {}) => {
  const selector = { matchLabels: { app: 'web' } };
  await cluster.client.create(daemonsets, {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { ...ref },
    spec: { selector, template: template(), ...spec },
  });
  await cluster.settle();
};
const patch = async (spec: object): Promise<DaemonSet> => {
  await cluster.client.patch(daemonsets, ref, { type: 'merge', body: { spec } });
  await cluster.settle();
  return cluster.client.get(daemonsets, ref);
};
const staying = async () => (await cluster.list(pods)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
const where = (all: Pod[]) => all.map((pod) => targetNode(pod) ?? '').sort();
const images = async () => (await staying()).map(({ spec }) => spec.containers[0]!.image ?? '').sort();
const isReady = ({ status }: Pod) => status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
const makeReady = async () => {
  for (const pod of await staying()) if (!isReady(pod)) await report(cluster, [pod], { node: targetNode(pod)! });
};

test('every node gets one pod, meant for it alone, that puts up with what ails nodes; the status counts them', async () => {
  await create();
  const all = await staying();
  assert.deepEqual(where(all), ['node-1', 'node-2', 'node-3']);
  const [revision] = await cluster.list(controllerrevisions);
  const hash = revision!.metadata.labels!['controller-revision-hash']!;
  assert.equal(revision!.metadata.name, `agent-${hash}`);
  assert.equal(revision!.revision, 1);
  assert.deepEqual(all[0]!.metadata.labels, { app: 'web', 'controller-revision-hash': hash, 'pod-template-generation': '1' });
  assert.deepEqual(
    all[0]!.spec.tolerations?.map(({ key, effect }) => `${key}:${effect}`),
    [
      'node.kubernetes.io/not-ready:NoExecute',
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/disk-pressure:NoSchedule',
      'node.kubernetes.io/memory-pressure:NoSchedule',
      'node.kubernetes.io/pid-pressure:NoSchedule',
      'node.kubernetes.io/unschedulable:NoSchedule',
    ],
  );
  await makeReady();
  const { status } = await cluster.client.get(daemonsets, ref);
  assert.deepEqual(status, {
    currentNumberScheduled: 3,
    numberMisscheduled: 0,
    desiredNumberScheduled: 3,
    numberReady: 3,
    observedGeneration: 1,
    updatedNumberScheduled: 3,
    numberAvailable: 3,
  });
});

test('nodes come, go, are tainted and labelled: pods follow', async () => {
  await create();
  await addReadyNode('node-4');
  assert.deepEqual(where(await staying()), ['node-1', 'node-2', 'node-3', 'node-4']);
  const taint = (name: string, effect: string) =>
    cluster.client.patch(nodes, { name }, { type: 'merge', body: { spec: { taints: [{ key: 'own', effect }] } } });
  await taint('node-1', 'NoSchedule');
  await taint('node-2', 'NoExecute');
  await cluster.settle();
  assert.deepEqual(where(await staying()), ['node-1', 'node-3', 'node-4'], 'one that is there may stay where none would be put');
  await cluster.client.delete(nodes, { name: 'node-4' });
  await cluster.settle();
  assert.deepEqual(where(await staying()), ['node-1', 'node-3']);
  await cluster.client.patch(nodes, { name: 'node-3' }, { type: 'merge', body: { metadata: { labels: { disk: 'fast' } } } });
  await patch({ template: { spec: { nodeSelector: { disk: 'fast' } } } });
  await finishDeletions(cluster);
  assert.deepEqual(where(await staying()), ['node-3']);
});

test('a rolling update never takes down more than maxUnavailable, and keeps the revisions for undo', async () => {
  await create();
  await makeReady();
  await patch({ template: template('nginx:2') });
  for (let round = 0; round < 8; round++) {
    const ready = (await staying()).filter(isReady);
    assert.ok(ready.length >= 2, `${ready.length} ready`);
    await finishDeletions(cluster);
    await makeReady();
  }
  assert.deepEqual(await images(), ['nginx:2', 'nginx:2', 'nginx:2']);
  const revisions = await cluster.list(controllerrevisions);
  assert.deepEqual(new Set(revisions.map(({ revision }) => revision)), new Set([1, 2]));
  const first = revisions.find(({ revision }) => revision === 1)!;
  await cluster.client.patch(daemonsets, ref, { type: 'strategic', body: first.data });
  await cluster.settle();
  const undone = (await cluster.list(controllerrevisions)).find(({ metadata }) => metadata.name === first.metadata.name);
  assert.equal(undone?.revision, 3, 'the template of revision 1 is the newest now');
});

test('a surge runs the new pod beside the old one until it is available', async () => {
  await create({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } });
  await makeReady();
  await patch({ template: template('nginx:2') });
  assert.equal((await staying()).length, 4);
  for (let round = 0; round < 5; round++) {
    assert.ok((await staying()).filter(isReady).length >= 3);
    await makeReady();
    await finishDeletions(cluster);
  }
  assert.deepEqual(await images(), ['nginx:2', 'nginx:2', 'nginx:2']);
});

test('with OnDelete a pod is replaced when somebody deletes it, and revisions beyond the limit are forgotten', async () => {
  await create({ updateStrategy: { type: 'OnDelete' }, revisionHistoryLimit: 0 });
  await makeReady();
  await patch({ template: template('nginx:2') });
  assert.deepEqual(await images(), ['nginx:1', 'nginx:1', 'nginx:1']);
  const [first] = await staying();
  await cluster.client.delete(pods, { namespace: 'default', name: first!.metadata.name! }, { gracePeriodSeconds: 0 });
  await cluster.settle();
  assert.deepEqual(await images(), ['nginx:1', 'nginx:1', 'nginx:2']);
  assert.equal((await cluster.list(controllerrevisions)).length, 2, 'the old one is worn still');
  for (const { metadata } of await staying())
    await cluster.client.delete(pods, { namespace: 'default', name: metadata.name! }, { gracePeriodSeconds: 0 });
  await cluster.settle();
  assert.equal((await cluster.list(controllerrevisions)).length, 1);
});

test('a failed daemon pod is replaced, with an event that says so', async () => {
  await create();
  const [first] = await staying();
  await report(cluster, [first!], { phase: 'Failed', ready: false, node: targetNode(first!)! });
  await finishDeletions(cluster);
  assert.equal((await staying()).length, 3);
  const messages = (await cluster.list(events)).map(({ message }) => message);
  const expected = `Found failed daemon pod default/${first!.metadata.name} on node ${targetNode(first!)}, will try to kill it`;
  assert.ok(messages.includes(expected), messages.join('\n'));
});
