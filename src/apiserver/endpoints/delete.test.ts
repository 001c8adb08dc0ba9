// Deleting: at once, with grace, behind finalizers, and on conditions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, Pod } from '#api/generated/core-v1.ts';
import { configmaps, deployments, namespaces, pods } from '#api/generated/resources.ts';
import type { Client } from '#client/client.ts';
import { startTestServer } from '../server.fixture.ts';

const ref = { namespace: 'default', name: 'a' };
const configMap = (name = 'a', finalizers?: string[]): ConfigMap => ({
  metadata: { name, namespace: 'default', ...(finalizers && { finalizers }) },
});
const pod: Pod = { metadata: { ...ref }, spec: { containers: [{ name: 'main', image: 'nginx' }] } };
const names = async (client: Client) =>
  (await client.list(configmaps, { namespace: 'default' })).items.map(({ metadata }) => metadata.name);

test('an object without finalizers goes at once', async () => {
  const { client } = await startTestServer();
  await client.create(configmaps, configMap('a'));
  await client.create(configmaps, configMap('b'));
  await client.delete(configmaps, ref);
  assert.deepEqual(await names(client), ['b']);
});

test('a finalizer holds the object back; the update that takes the last one off removes it', async () => {
  const { client } = await startTestServer();
  await client.create(configmaps, configMap('a', ['example.com/hold']));
  await client.delete(configmaps, ref);
  const held = await client.get(configmaps, ref);
  assert.equal(held.metadata.deletionTimestamp, '2026-01-01T00:00:00Z');
  assert.equal(held.metadata.deletionGracePeriodSeconds, 0);
  const more = { ...held, metadata: { ...held.metadata, finalizers: ['example.com/hold', 'example.com/more'] } };
  await assert.rejects(client.update(configmaps, more), /no new finalizers can be added if the object is being deleted/);
  await client.update(configmaps, { ...held, metadata: { ...held.metadata, finalizers: [] } });
  assert.deepEqual(await names(client), []);
});

test('the propagation policy becomes a finalizer that the garbage collector answers to', async () => {
  const { client } = await startTestServer();
  for (const name of ['a', 'b', 'c']) await client.create(configmaps, configMap(name));
  await client.delete(configmaps, { namespace: 'default', name: 'a' }, { propagationPolicy: 'Foreground' });
  await client.delete(configmaps, { namespace: 'default', name: 'b' }, { propagationPolicy: 'Orphan' });
  await client.delete(configmaps, { namespace: 'default', name: 'c' }, { propagationPolicy: 'Background' });
  const left = await client.list(configmaps, { namespace: 'default' });
  assert.deepEqual(
    left.items.map(({ metadata }) => [metadata.name, metadata.finalizers]),
    [
      ['a', ['foregroundDeletion']],
      ['b', ['orphan']],
    ],
  );
  await assert.rejects(
    client.delete(configmaps, ref, { propagationPolicy: 'Sideways' as never }),
    /DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways"/,
  );
});

test('a running pod gets its grace, a shorter one if asked again, and goes when the kubelet says so', async () => {
  const { client } = await startTestServer();
  await client.create(pods, pod);
  const binding = { metadata: { name: 'a' }, target: { kind: 'Node', name: 'n' } };
  await client.create(pods as never, binding as never, { subresource: 'binding' }, ref);
  await client.delete(pods, ref);
  const going = await client.get(pods, ref);
  assert.equal(going.metadata.deletionGracePeriodSeconds, 30);
  assert.equal(going.metadata.deletionTimestamp, '2026-01-01T00:00:30Z');
  assert.equal(going.metadata.generation, 2);
  await client.delete(pods, ref, { gracePeriodSeconds: 60 });
  assert.equal((await client.get(pods, ref)).metadata.resourceVersion, going.metadata.resourceVersion);
  await client.delete(pods, ref, { gracePeriodSeconds: 5 });
  assert.equal((await client.get(pods, ref)).metadata.deletionTimestamp, '2026-01-01T00:00:05Z');
  await client.delete(pods, ref, { gracePeriodSeconds: 0 });
  await assert.rejects(client.get(pods, ref), /pods "a" not found/);
});

test('a pod that no node has goes at once', async () => {
  const { client } = await startTestServer();
  await client.create(pods, pod);
  await client.delete(pods, ref);
  await assert.rejects(client.get(pods, ref), /pods "a" not found/);
});

test('preconditions that do not hold refuse the delete', async () => {
  const { client } = await startTestServer();
  const created = await client.create(configmaps, configMap());
  await assert.rejects(
    client.delete(configmaps, ref, { preconditions: { uid: 'other' } }),
    /the UID in the precondition \(other\) does not match the UID in record/,
  );
  await assert.rejects(client.delete(configmaps, ref, { preconditions: { resourceVersion: '1' } }), /The object might have been modified/);
  await client.delete(configmaps, ref, { preconditions: { uid: created.metadata.uid! } });
  assert.deepEqual(await names(client), []);
});

test('a namespace is marked as terminating and goes when it is finalized', async () => {
  const { client } = await startTestServer();
  await client.create(namespaces, { metadata: { name: 'going' }, spec: {} });
  await client.delete(namespaces, { name: 'going' });
  const going = await client.get(namespaces, { name: 'going' });
  assert.equal(going.status?.phase, 'Terminating');
  await client.delete(namespaces, { name: 'going' });
  await client.update(namespaces, { ...going, spec: { finalizers: [] } }, { subresource: 'finalize' });
  await assert.rejects(client.get(namespaces, { name: 'going' }), /namespaces "going" not found/);
});

test('a collection is deleted as selected', async () => {
  const { client } = await startTestServer();
  for (const name of ['a', 'b', 'c']) {
    await client.create(configmaps, { metadata: { name, namespace: 'default', labels: { drop: String(name !== 'b') } } });
  }
  await client.deleteCollection(configmaps, { namespace: 'default', labelSelector: 'drop=true' });
  assert.deepEqual(await names(client), ['b']);
});

test('evicting a pod marks why it goes', async () => {
  const { client } = await startTestServer();
  await client.create(pods, pod);
  const events: string[] = [];
  client.watch(pods, { namespace: 'default' }, (batch) => {
    for (const event of batch) {
      if (event.type !== 'BOOKMARK') events.push(`${event.type} ${event.object.status?.conditions?.at(-1)?.reason ?? ''}`.trim());
    }
  });
  await client.create(pods as never, { metadata: { name: 'a' } } as never, { subresource: 'eviction' }, ref);
  assert.deepEqual(events, ['ADDED', 'MODIFIED EvictionByEvictionAPI', 'DELETED EvictionByEvictionAPI']);
});

test('deleting what is absent is NotFound', async () => {
  const { client } = await startTestServer();
  await assert.rejects(client.delete(deployments, ref), /deployments.apps "a" not found/);
});
