// Namespaces on a real API server: what a deletion takes with it, and what it waits for.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { configmaps, deployments, namespaces, pods, secrets, serviceaccounts } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { deploymentController } from '../deployment/controller.ts';
import { garbageCollector } from '../garbage-collector/controller.ts';
import { replicaSetController } from '../replicaset/controller.ts';
import { rootCaCertPublisher } from '../root-ca-cert-publisher/controller.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { deployment, finishDeletions, pod, report, startTestCluster } from '#root/test/support/controllers-cluster.ts';
import { serviceAccountController } from '../serviceaccount/controller.ts';
import { namespaceController } from './controller.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([
    namespaceController,
    serviceAccountController,
    rootCaCertPublisher,
    garbageCollector,
    deploymentController,
    replicaSetController,
  ]);
});
afterEach(() => cluster.stop());

const create = async (name: string) => {
  await cluster.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} });
  await cluster.settle();
};
const remove = async (name: string) => {
  await cluster.client.delete(namespaces, { name });
  await cluster.settle();
};
const exists = (name: string) =>
  cluster.client.get(namespaces, { name }).then(
    () => true,
    (error: unknown) => (isNotFound(error) ? false : Promise.reject(error)),
  );

test('a new namespace has its default service account and the root certificate, and gets them back', async () => {
  await create('team');
  assert.deepEqual(
    (await cluster.list(serviceaccounts, 'team')).map(({ metadata }) => metadata.name),
    ['default'],
  );
  const [map] = await cluster.list(configmaps, 'team');
  assert.equal(map!.metadata.name, 'kube-root-ca.crt');
  assert.deepEqual(map!.data, { 'ca.crt': 'CERTIFICATE' });
  assert.match(map!.metadata.annotations!['kubernetes.io/description']!, /^Contains a CA bundle/);
  await cluster.client.delete(serviceaccounts, { namespace: 'team', name: 'default' });
  await cluster.client.update(configmaps, { ...map!, data: { 'ca.crt': 'forged' } });
  await cluster.settle();
  assert.equal((await cluster.list(serviceaccounts, 'team')).length, 1);
  assert.deepEqual((await cluster.list(configmaps, 'team'))[0]!.data, { 'ca.crt': 'CERTIFICATE' });
});

test('deleting a namespace empties it and leaves the others alone', async () => {
  await create('team');
  await create('other');
  await cluster.client.create(deployments, { ...deployment('web'), metadata: { name: 'web', namespace: 'team' } });
  await cluster.client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'team' } });
  await cluster.client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'other' } });
  await cluster.settle();
  assert.equal((await cluster.list(pods, 'team')).length, 3);
  await remove('team');
  await cluster.clock.advance(30_000);
  assert.equal(await exists('team'), false);
  for (const resource of cluster.resources.filter(({ namespaced }) => namespaced)) {
    assert.deepEqual(
      (await cluster.list(resource, 'team')).map(({ metadata }) => metadata.name),
      [],
      resource.plural,
    );
  }
  assert.equal((await cluster.list(secrets, 'other')).length, 1);
});

test('a namespace waits for its running pods before anything else goes, and says what keeps it', async () => {
  await create('team');
  await cluster.client.create(pods, pod('busy', {}, { metadata: { namespace: 'team' } }));
  await report(cluster, await cluster.list(pods, 'team'));
  await remove('team');
  const waiting = await cluster.client.get(namespaces, { name: 'team' });
  assert.equal(waiting.status?.phase, 'Terminating');
  const remaining = waiting.status?.conditions?.find(({ type }) => type === 'NamespaceContentRemaining');
  assert.equal(remaining?.reason, 'SomeResourcesRemain');
  assert.equal(remaining?.message, 'Some resources are remaining: pods. has 1 resource instances');
  assert.equal((await cluster.list(serviceaccounts, 'team')).length, 1);
  await finishDeletions(cluster, 'team');
  assert.equal(await exists('team'), false);
});

test('a namespace stays while a finalizer holds an object in it', async () => {
  await create('team');
  const metadata = { name: 'held', namespace: 'team', finalizers: ['example.com/hold'] };
  await cluster.client.create(configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  await remove('team');
  const { status } = await cluster.client.get(namespaces, { name: 'team' });
  const message = status?.conditions?.find(({ type }) => type === 'NamespaceFinalizersRemaining')?.message;
  assert.equal(message, 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances');
  await cluster.client.patch(configmaps, { namespace: 'team', name: 'held' }, { type: 'merge', body: { metadata: { finalizers: null } } });
  await cluster.clock.advance(30_000);
  assert.equal(await exists('team'), false);
});
