// Writing through the client of this process: create, update, status, dry runs and conflicts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, Pod } from '#api/generated/core-v1.ts';
import type { Deployment } from '#api/generated/apps-v1.ts';
import { configmaps, deployments, leases, namespaces, pods } from '#api/generated/resources.ts';
import { startTestServer } from '../server.fixture.ts';

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({ metadata: { name, namespace: 'default' }, data });
const pod = (name: string): Pod => ({ metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'main', image: 'nginx' }] } });
const deployment = (name: string, replicas: number): Deployment => ({
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'nginx' }] } },
  },
});
const message = (text: string | RegExp) => (error: Error) => {
  if (typeof text === 'string') assert.equal(error.message, text);
  else assert.match(error.message, text);
  return true;
};

test('a created object gets uid, creation time and a resourceVersion, is frozen, and leaves the input alone', async () => {
  const { client } = await startTestServer();
  const input = configMap('a', { key: 'value' });
  const created = await client.create(configmaps, input);
  assert.equal(created.metadata.creationTimestamp, '2026-01-01T00:00:00Z');
  assert.match(created.metadata.uid!, /^[0-9a-f-]{36}$/);
  assert.ok(Number(created.metadata.resourceVersion) > 1);
  assert.ok(Object.isFrozen(created.data));
  assert.deepEqual(input, configMap('a', { key: 'value' }));
  assert.equal(await client.get(configmaps, { namespace: 'default', name: 'a' }), created);
});

test('creating a name twice is AlreadyExists, without a name it is invalid, with a resourceVersion it is refused', async () => {
  const { client } = await startTestServer();
  await client.create(configmaps, configMap('a'));
  await assert.rejects(client.create(configmaps, configMap('a')), message('configmaps "a" already exists'));
  await assert.rejects(
    client.create(configmaps, { metadata: { namespace: 'default' } }),
    message('ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'),
  );
  const versioned = { ...configMap('b'), metadata: { ...configMap('b').metadata, resourceVersion: '7' } };
  await assert.rejects(client.create(configmaps, versioned), message('resourceVersion should not be set on objects to be created'));
});

test('generateName makes distinct names', async () => {
  const { client } = await startTestServer();
  const template = { metadata: { generateName: 'web-', namespace: 'default' } };
  const names = await Promise.all(Array.from({ length: 20 }, async () => (await client.create(configmaps, template)).metadata.name!));
  assert.equal(new Set(names).size, 20);
  for (const name of names) assert.match(name, /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});

test('of parallel updates at one resourceVersion exactly one wins', async () => {
  const { client } = await startTestServer();
  const created = await client.create(configmaps, configMap('a'));
  const attempts = Array.from({ length: 10 }, (_, number) => client.update(configmaps, { ...created, data: { number: String(number) } }));
  const results = await Promise.allSettled(attempts);
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const result of results) {
    if (result.status === 'rejected') assert.equal((result.reason as { code: number }).code, 409);
  }
});

test('an update that changes nothing keeps its revision, and one without a resourceVersion wins where the kind allows it', async () => {
  const { client } = await startTestServer();
  const created = await client.create(configmaps, configMap('a', { key: '1' }));
  assert.equal((await client.update(configmaps, created)).metadata.resourceVersion, created.metadata.resourceVersion);
  const updated = await client.update(configmaps, configMap('a', { key: '2' }));
  assert.deepEqual(updated.data, { key: '2' });
  assert.equal(updated.metadata.uid, created.metadata.uid);
});

test('an update of what is absent is NotFound, except where a PUT may create', async () => {
  const { client } = await startTestServer();
  await assert.rejects(client.update(configmaps, configMap('a')), message('configmaps "a" not found'));
  const lease = await client.update(leases, { metadata: { name: 'l', namespace: 'default' }, spec: { holderIdentity: 'me' } });
  assert.ok(lease.metadata.uid);
  await assert.rejects(
    client.update(leases, { metadata: { name: 'l', namespace: 'default' }, spec: {} }),
    message('Lease.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update'),
  );
});

test('an update with the uid of another life of the object conflicts', async () => {
  const { client } = await startTestServer();
  const first = await client.create(configmaps, configMap('a'));
  await client.delete(configmaps, { namespace: 'default', name: 'a' });
  const second = await client.create(configmaps, configMap('a'));
  const stale = { ...second, metadata: { ...second.metadata, uid: first.metadata.uid! } };
  await assert.rejects(client.update(configmaps, stale), message(/Precondition failed: UID in precondition: .*, UID in object meta: /));
});

test('generation counts changes of the spec only, and status is written through its subresource alone', async () => {
  const { client } = await startTestServer();
  const created = await client.create(deployments, deployment('web', 1));
  assert.equal(created.metadata.generation, 1);
  const withStatus = { ...created, status: { replicas: 5 } };
  assert.equal((await client.update(deployments, withStatus)).status?.replicas, undefined);
  const reported = await client.update(deployments, { ...withStatus, spec: { ...created.spec!, replicas: 9 } }, { subresource: 'status' });
  assert.equal(reported.status?.replicas, 5);
  assert.equal(reported.spec?.replicas, 1);
  assert.equal(reported.metadata.generation, 1);
  const scaled = await client.update(deployments, { ...reported, spec: { ...reported.spec!, replicas: 2 } });
  assert.equal(scaled.metadata.generation, 2);
  assert.equal(scaled.status?.replicas, 5);
});

test('a scale is read, set and refused', async () => {
  const { client } = await startTestServer();
  await client.create(deployments, deployment('web', 1));
  const ref = { namespace: 'default', name: 'web' };
  const scale = await client.get(deployments as never, ref, { subresource: 'scale' });
  assert.deepEqual((scale as unknown as { status: object }).status, { replicas: 0, selector: 'app=web' });
  await client.patch(deployments, ref, { type: 'merge', body: { spec: { replicas: 4 } } }, { subresource: 'scale' });
  assert.equal((await client.get(deployments, ref)).spec?.replicas, 4);
  await assert.rejects(
    client.patch(deployments, ref, { type: 'merge', body: { spec: { replicas: -1 } } }, { subresource: 'scale' }),
    message('Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'),
  );
});

test('a dry run validates and answers, and changes nothing', async () => {
  const { client, server } = await startTestServer();
  const before = server.revision;
  const created = await client.create(configmaps, configMap('a'), { dryRun: true });
  assert.ok(created.metadata.uid);
  await assert.rejects(client.create(configmaps, configMap('Not A Name'), { dryRun: true }), message(/is invalid: metadata.name/));
  assert.equal(server.revision, before);
  await assert.rejects(client.get(configmaps, { namespace: 'default', name: 'a' }), message('configmaps "a" not found'));
});

test('nothing is created in a namespace that is absent or terminating', async () => {
  const { client } = await startTestServer();
  const inside = (namespace: string): ConfigMap => ({ metadata: { name: 'a', namespace } });
  await assert.rejects(client.create(configmaps, inside('gone')), message('namespaces "gone" not found'));
  await client.create(namespaces, { metadata: { name: 'going' }, spec: {} });
  await client.delete(namespaces, { name: 'going' });
  await assert.rejects(
    client.create(configmaps, inside('going')),
    message('configmaps "a" is forbidden: unable to create new content in namespace going because it is being terminated'),
  );
  await assert.rejects(
    client.delete(namespaces, { name: 'default' }),
    message('namespaces "default" is forbidden: this namespace may not be deleted'),
  );
});

test('a patch without a resourceVersion is tried again on top of what others wrote', async () => {
  const { client } = await startTestServer();
  await client.create(configmaps, configMap('a'));
  const ref = { namespace: 'default', name: 'a' };
  await Promise.all(
    Array.from({ length: 20 }, (_, number) => client.patch(configmaps, ref, { type: 'merge', body: { data: { [`k${number}`]: 'x' } } })),
  );
  assert.equal(Object.keys((await client.get(configmaps, ref)).data!).length, 20);
});

test('binding writes the node once', async () => {
  const { client } = await startTestServer();
  await client.create(pods, pod('a'));
  const bind = (node: string) =>
    client.create(
      pods as never,
      { metadata: { name: 'a' }, target: { kind: 'Node', name: node } } as never,
      { subresource: 'binding' },
      {
        namespace: 'default',
        name: 'a',
      },
    );
  await bind('node-1');
  const bound = await client.get(pods, { namespace: 'default', name: 'a' });
  assert.equal(bound.spec?.nodeName, 'node-1');
  assert.equal(bound.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.status, 'True');
  await assert.rejects(
    bind('node-2'),
    message('Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "node-1"'),
  );
});
