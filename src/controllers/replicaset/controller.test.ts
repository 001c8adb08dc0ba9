// ReplicaSets on a real API server: which pods live and which go.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { ReplicaSet } from '#api/generated/apps-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { events, pods, replicasets } from '#api/generated/resources.ts';
import { forbidden } from '#api/meta/errors.ts';
import type { AdmissionPlugin } from '#apiserver/admission/plugin.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { finishDeletions, pod, report, startTestCluster, template } from '#root/test/support/controllers-cluster.ts';
import { replicaSetController } from './controller.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([replicaSetController]);
});
afterEach(() => cluster.stop());

const create = async (replicas: number, spec: object = {}): Promise<ReplicaSet> => {
  const created = await cluster.client.create(replicasets, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'default' },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: template(), ...spec },
  });
  await cluster.settle();
  return created;
};
const scale = async (replicas: number) => {
  await cluster.client.patch(replicasets, { namespace: 'default', name: 'web' }, { type: 'merge', body: { spec: { replicas } } });
  await cluster.settle();
};
const status = async () => (await cluster.client.get(replicasets, { namespace: 'default', name: 'web' })).status!;
const living = async () => (await cluster.list(pods)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
const names = (list: Pod[]) => list.map(({ metadata }) => metadata.name!).sort();

test('exactly as many pods are created as are asked for, and the status counts them', async () => {
  await create(120);
  assert.equal((await living()).length, 120);
  const { replicas, fullyLabeledReplicas, readyReplicas, observedGeneration } = await status();
  assert.deepEqual(
    { replicas, fullyLabeledReplicas, readyReplicas: readyReplicas ?? 0, observedGeneration },
    { replicas: 120, fullyLabeledReplicas: 120, readyReplicas: 0, observedGeneration: 1 },
  );
});

test('scaling down deletes the not-ready pod before the ready one', async () => {
  await create(3);
  const [first, second, third] = await living();
  await report(cluster, [first!, third!]);
  await report(cluster, [second!], { ready: false });
  await scale(2);
  assert.deepEqual(names(await living()), names([first!, third!]));
});

test('scaling down deletes the unscheduled before the pending, and the pending before the running', async () => {
  await create(3);
  const [unscheduled, pending, running] = await living();
  await report(cluster, [pending!], { ready: false, phase: 'Pending' });
  await report(cluster, [running!], { ready: false });
  await scale(2);
  assert.deepEqual(names(await living()), names([pending!, running!]));
  await scale(1);
  assert.deepEqual(names(await living()), names([running!]));
  assert.ok(unscheduled);
});

test('scaling down deletes the pod of least deletion cost', async () => {
  await create(2);
  const [cheap, dear] = await living();
  await report(cluster, [cheap!, dear!]);
  const body = { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '100' } } };
  await cluster.client.patch(pods, { namespace: 'default', name: dear!.metadata.name! }, { type: 'merge', body });
  await scale(1);
  assert.deepEqual(names(await living()), [dear!.metadata.name]);
});

test('scaling down thins out the node that has most pods', async () => {
  await create(3);
  const [a, b, alone] = await living();
  await report(cluster, [a!, b!], { node: 'node-1' });
  await report(cluster, [alone!], { node: 'node-2' });
  await scale(2);
  assert.ok(names(await living()).includes(alone!.metadata.name!));
});

test('a pod that finishes or is deleted is replaced, and one that is going is counted as terminating', async () => {
  await create(2);
  const [first, second] = await living();
  await report(cluster, [first!, second!]);
  await cluster.client.delete(pods, { namespace: 'default', name: first!.metadata.name! });
  await cluster.settle();
  assert.equal((await living()).length, 2);
  assert.equal((await status()).terminatingReplicas, 1);
  await finishDeletions(cluster);
  assert.equal((await status()).terminatingReplicas ?? 0, 0);
  await report(cluster, [second!], { phase: 'Failed', ready: false });
  const active = (await living()).filter((one) => one.status?.phase !== 'Failed');
  assert.equal(active.length, 2);
});

test('an orphan that matches is adopted in place of a new pod, and one that is relabelled is released', async () => {
  await cluster.client.create(pods, pod('orphan'));
  const replicaSet = await create(1);
  assert.deepEqual(names(await living()), ['orphan']);
  const [adopted] = await living();
  assert.equal(adopted!.metadata.ownerReferences?.[0]?.uid, replicaSet.metadata.uid);
  const body = { metadata: { labels: { app: 'debug' } } };
  await cluster.client.patch(pods, { namespace: 'default', name: 'orphan' }, { type: 'merge', body });
  await cluster.settle();
  const released = await cluster.client.get(pods, { namespace: 'default', name: 'orphan' });
  assert.equal(released.metadata.ownerReferences ?? undefined, undefined);
  assert.equal((await living()).length, 2);
});

test('a pod of another controller is never touched', async () => {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'other', uid: 'other-uid', controller: true }];
  await cluster.client.create(pods, pod('theirs', { app: 'web' }, { metadata: { ownerReferences } }));
  await create(1);
  await scale(0);
  assert.deepEqual(names(await living()), ['theirs']);
});

test('a pod counts as available only after minReadySeconds', async () => {
  await create(1, { minReadySeconds: 30 });
  await report(cluster, await living());
  assert.deepEqual([(await status()).readyReplicas, (await status()).availableReplicas ?? 0], [1, 0]);
  await cluster.clock.advance(31_000);
  assert.equal((await status()).availableReplicas, 1);
});

test('pods that the server refuses cost one request a try, are reported, and come as soon as it lets them', async () => {
  await cluster.stop();
  let isRefusing = true;
  let asked = 0;
  const quota: AdmissionPlugin = {
    name: 'Quota',
    operations: ['CREATE'],
    validate({ resource }) {
      if (resource.type.kind !== 'Pod') return;
      asked++;
      if (isRefusing) throw forbidden(pods, 'web', 'exceeded quota');
    },
  };
  cluster = await startTestCluster([replicaSetController], [quota]);
  await create(20);
  const refused = (await status()).conditions?.find(({ type }) => type === 'ReplicaFailure');
  assert.deepEqual(
    [refused?.status, refused?.reason, refused?.message],
    ['True', 'FailedCreate', 'pods "web" is forbidden: exceeded quota'],
  );
  assert.deepEqual(await living(), []);
  assert.ok(asked < 20, `${asked} requests`);
  const [told] = (await cluster.list(events)).filter(({ reason }) => reason === 'FailedCreate');
  assert.equal(told!.message, 'Error creating: pods "web" is forbidden: exceeded quota');
  assert.equal(told!.count, asked);
  isRefusing = false;
  await cluster.clock.advance(60_000);
  assert.equal((await living()).length, 20);
  assert.equal(
    (await status()).conditions?.find(({ type }) => type === 'ReplicaFailure'),
    undefined,
  );
});

test('each creation and deletion is told as an event', async () => {
  await create(1);
  const [only] = await living();
  await scale(0);
  await cluster.settle();
  const messages = (await cluster.list(events)).map(({ reason, message }) => `${reason}: ${message}`).sort();
  assert.deepEqual(messages, [
    `SuccessfulCreate: Created pod: ${only!.metadata.name}`,
    `SuccessfulDelete: Deleted pod: ${only!.metadata.name}`,
  ]);
});
