// EndpointSlices and Endpoints on a real API server: who is found behind a service.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Service } from '#api/generated/core-v1.ts';
import type { EndpointSlice } from '#api/generated/discovery-v1.ts';
import { endpoints, endpointslices, pods, services } from '#api/generated/resources.ts';
import { endpointsController } from '../endpoints/controller.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { addNode, finishDeletions, pod, report, startTestCluster } from '#root/test/support/controllers-cluster.ts';
import { endpointSliceController } from './controller.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([endpointSliceController, endpointsController]);
  await addNode(cluster, 'node-1');
});
afterEach(() => cluster.stop());

const create = async (spec: Partial<Service['spec']> = {}, name = 'web'): Promise<Service> => {
  const created = await cluster.client.create(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', labels: { team: 'a' } },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }], ...spec },
  });
  await cluster.settle();
  return created;
};
const addPods = async (...names: string[]) => {
  for (const name of names) await cluster.client.create(pods, pod(name));
  await cluster.settle();
};
const podNamed = (name: string) => cluster.client.get(pods, { namespace: 'default', name });
const slices = () => cluster.list(endpointslices);
const conditionsByPod = (list: EndpointSlice[]) =>
  Object.fromEntries(list.flatMap((slice) => (slice.endpoints ?? []).map(({ targetRef, conditions }) => [targetRef!.name, conditions])));

test('a service without pods has one empty slice and empty endpoints', async () => {
  const service = await create();
  const [slice, ...more] = await slices();
  assert.equal(more.length, 0);
  assert.deepEqual(slice!.endpoints ?? [], []);
  assert.deepEqual(slice!.metadata.labels, {
    team: 'a',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  });
  assert.match(slice!.metadata.name!, /^web-[a-z0-9]{5}$/);
  assert.equal(slice!.metadata.ownerReferences?.[0]?.uid, service.metadata.uid);
  const [object] = await cluster.list(endpoints);
  assert.equal(object!.metadata.name, 'web');
  assert.deepEqual(object!.subsets ?? [], []);
});

test('ready, not ready and terminating pods carry their conditions; endpoints list only the first two', async () => {
  await create();
  await addPods('ready', 'unready', 'going');
  await report(cluster, [await podNamed('ready'), await podNamed('going')]);
  await report(cluster, [await podNamed('unready')], { ready: false });
  await cluster.client.delete(pods, { namespace: 'default', name: 'going' });
  await cluster.settle();
  const list = await slices();
  assert.equal(list.length, 1);
  assert.deepEqual(conditionsByPod(list), {
    ready: { ready: true, serving: true, terminating: false },
    unready: { ready: false, serving: false, terminating: false },
    going: { ready: false, serving: true, terminating: true },
  });
  assert.deepEqual(list[0]!.ports, [{ name: '', protocol: 'TCP', port: 80 }]);
  const [object] = await cluster.list(endpoints);
  const [subset] = object!.subsets!;
  assert.deepEqual(
    subset!.addresses?.map(({ targetRef }) => targetRef!.name),
    ['ready'],
  );
  assert.deepEqual(
    subset!.notReadyAddresses?.map(({ targetRef }) => targetRef!.name),
    ['unready'],
  );
  await finishDeletions(cluster);
  assert.deepEqual(Object.keys(conditionsByPod(await slices())).sort(), ['ready', 'unready']);
});

test('publishNotReadyAddresses makes every pod ready to be found', async () => {
  await create({ publishNotReadyAddresses: true, clusterIP: 'None' });
  await addPods('unready');
  await report(cluster, [await podNamed('unready')], { ready: false });
  assert.deepEqual(conditionsByPod(await slices())['unready'], { ready: true, serving: false, terminating: false });
  const [slice] = await slices();
  assert.equal(slice!.metadata.labels!['service.kubernetes.io/headless'], '');
});

test('pods whose port name leads to different numbers stand in different slices', async () => {
  await create();
  await addPods('eighty');
  const other = pod('ninety');
  other.spec.containers[0]!.ports = [{ name: 'http', containerPort: 90 }];
  await cluster.client.create(pods, other);
  const nameless = pod('portless');
  nameless.spec.containers[0]!.ports = [];
  await cluster.client.create(pods, nameless);
  await report(cluster, await cluster.list(pods));
  const list = await slices();
  const byPort = Object.fromEntries(
    list.map(({ ports, endpoints: found }) => [ports?.[0]?.port, (found ?? []).map(({ targetRef }) => targetRef!.name)]),
  );
  assert.deepEqual(byPort, { 80: ['eighty'], 90: ['ninety'] });
});

test('250 pods fill three slices of at most 100, and one that goes changes one slice only', async () => {
  await create();
  await addPods(...Array.from({ length: 250 }, (_, i) => `web-${i}`));
  await report(cluster, await cluster.list(pods));
  const before = await slices();
  assert.equal(before.length, 3);
  assert.ok(before.every((slice) => (slice.endpoints ?? []).length <= 100));
  assert.equal(Object.keys(conditionsByPod(before)).length, 250);
  await cluster.client.delete(pods, { namespace: 'default', name: 'web-7' }, { gracePeriodSeconds: 0 });
  await cluster.settle();
  const after = await slices();
  const versions = new Map(before.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
  assert.equal(after.filter(({ metadata }) => versions.get(metadata.name) !== metadata.resourceVersion).length, 1);
  assert.equal(conditionsByPod(after)['web-7'], undefined);
});

test('a pod that is relabelled leaves, a service whose selector changes follows it', async () => {
  await create();
  await addPods('one', 'two');
  await report(cluster, await cluster.list(pods));
  await cluster.client.patch(
    pods,
    { namespace: 'default', name: 'two' },
    { type: 'merge', body: { metadata: { labels: { app: 'api' } } } },
  );
  await cluster.settle();
  assert.deepEqual(Object.keys(conditionsByPod(await slices())), ['one']);
  await cluster.client.patch(
    services,
    { namespace: 'default', name: 'web' },
    { type: 'merge', body: { spec: { selector: { app: 'api' } } } },
  );
  await cluster.settle();
  assert.deepEqual(Object.keys(conditionsByPod(await slices())), ['two']);
});

test('a service without a selector is left to whoever keeps its endpoints; a deleted service takes its endpoints along', async () => {
  await create({ selector: undefined }, 'manual');
  assert.deepEqual(await slices(), []);
  assert.deepEqual(await cluster.list(endpoints), []);
  await create();
  await cluster.client.delete(services, { namespace: 'default', name: 'web' });
  await cluster.settle();
  assert.deepEqual(await cluster.list(endpoints), []);
});

test('a slice that somebody deletes comes back', async () => {
  await create();
  await addPods('one');
  await report(cluster, await cluster.list(pods));
  const [slice] = await slices();
  await cluster.client.delete(endpointslices, { namespace: 'default', name: slice!.metadata.name! });
  await cluster.clock.advance(2000);
  assert.deepEqual(Object.keys(conditionsByPod(await slices())), ['one']);
});
