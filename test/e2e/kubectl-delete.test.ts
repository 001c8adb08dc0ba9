// The real kubectl deletes: by name and label, cascading three ways, by force; finalizers, owners, and namespaces with what is in them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { configmaps, namespaces, pods, replicasets } from '#api/generated/resources.ts';
import { eventually } from '#root/src/testing/eventually.ts';
import type { KubectlCluster } from '#root/test/support/kubectl-cluster.ts';
import { startKubectlCluster } from '#root/test/support/kubectl-cluster.ts';

let kube: KubectlCluster;
before(async () => {
  kube = await startKubectlCluster({ nodes: 1 });
});
after(() => kube?.stop());

const configMap = (name: string, metadata: object = {}) => ({
  input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata } }),
});

test('delete by name, by label, all of a kind, and what is not there', async () => {
  const { ok, fails } = await kube.namespace('removing');
  for (const name of ['a', 'b', 'c', 'd']) await ok('create', '-f', '-', configMap(name, { labels: { half: name < 'c' ? 'one' : 'two' } }));
  assert.equal(await ok('delete', 'configmap', 'a'), 'configmap "a" deleted from removing namespace\n');
  assert.equal(await ok('delete', 'configmaps', '-l', 'half=one'), 'configmap "b" deleted from removing namespace\n');
  assert.equal(await fails('delete', 'configmap', 'a'), 'Error from server (NotFound): configmaps "a" not found\n');
  assert.equal(await ok('delete', 'configmap', 'a', '--ignore-not-found'), '');
  assert.match(await ok('delete', 'configmaps', '--all'), /"c" deleted[^]*"d" deleted/);
  assert.doesNotMatch(await ok('get', 'configmaps', '-o', 'name'), /\/[abcd]\n/);
});

test('a pod is deleted gracefully, without waiting, or by force', async () => {
  const { ok, fails, run } = await kube.namespace('ending');
  const slow = ['--image=nginx', '--annotations=simulation.keks.dev/stop-delay=30s'];
  await ok('run', 'slow', ...slow);
  await ok('run', 'quick', '--image=nginx');
  await ok('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=20s');
  assert.equal(await ok('delete', 'pod', 'quick'), 'pod "quick" deleted from ending namespace\n');
  assert.match(await fails('get', 'pod', 'quick'), /NotFound/);
  assert.equal(await ok('delete', 'pod', 'slow', '--wait=false'), 'pod "slow" deleted from ending namespace\n');
  assert.match(await ok('get', 'pod', 'slow'), /slow +1\/1 +Terminating/);
  assert.match(await fails('delete', 'pod', 'slow', '--timeout=1s'), /error: timed out waiting for the condition on pods\/slow/);
  const forced = await run('delete', 'pod', 'slow', '--grace-period=0', '--force');
  assert.equal(forced.code, 0);
  assert.match(forced.stderr, /^Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated/);
  assert.match(await fails('get', 'pod', 'slow'), /NotFound/);
});

test('a deployment goes with its pods in the background and in the foreground, and leaves its replica set when orphaned', async () => {
  const { ok } = await kube.namespace('cascading');
  const create = async (name: string) => {
    await ok('create', 'deployment', name, '--image=nginx', '--replicas=2');
    await ok('rollout', 'status', `deployment/${name}`, '--timeout=20s');
  };
  const within = { namespace: 'cascading' };
  await create('one');
  await ok('delete', 'deployment', 'one');
  await eventually(kube.client, pods, within, (all) => assert.deepEqual(all, []));
  await create('two');
  await ok('delete', 'deployment', 'two', '--cascade=foreground');
  // In the foreground the owner waits: once it is gone, so are they.
  assert.equal(await ok('get', 'replicasets,pods', '-o', 'name'), '');
  await create('three');
  await ok('delete', 'deployment', 'three', '--cascade=orphan');
  const [orphan] = await eventually(kube.client, replicasets, within, ([set]) => assert.deepEqual(set?.metadata.ownerReferences ?? [], []));
  assert.match(await ok('get', 'pods', '-l', 'app=three', '--no-headers'), /^(three-.* 2\/2|three-\S+ +1\/1 +Running[^]*){2}/);
  await ok('delete', 'replicaset', orphan!.metadata.name!);
  await eventually(kube.client, pods, within, (all) => assert.deepEqual(all, []));
});

test('dependents follow their owner, and only theirs', async () => {
  const { ok } = await kube.namespace('owning');
  await ok('create', '-f', '-', configMap('owner'));
  await ok('create', '-f', '-', configMap('other'));
  const uid = (name: string) => ok('get', 'configmap', name, '-o', 'jsonpath={.metadata.uid}');
  const owned = async (...owners: string[]) => ({
    ownerReferences: await Promise.all(owners.map(async (name) => ({ apiVersion: 'v1', kind: 'ConfigMap', name, uid: await uid(name) }))),
  });
  await ok('create', '-f', '-', configMap('child', await owned('owner')));
  await ok('create', '-f', '-', configMap('shared', await owned('owner', 'other')));
  await ok(
    'create',
    '-f',
    '-',
    configMap('strangers', {
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: '11111111-1111-1111-1111-111111111111' }],
    }),
  );
  await ok('delete', 'configmap', 'owner');
  await eventually(kube.client, configmaps, { namespace: 'owning' }, (all) => {
    const names = all.map(({ metadata }) => metadata.name).filter((name) => name !== 'kube-root-ca.crt');
    assert.deepEqual(new Set(names), new Set(['other', 'shared']));
  });
});

test('a finalizer holds what is deleted until it is taken away', async () => {
  const { ok, fails } = await kube.namespace('finalizing');
  await ok('create', '-f', '-', configMap('held', { finalizers: ['example.com/hold'] }));
  await ok('delete', 'configmap', 'held', '--wait=false');
  assert.match(await ok('get', 'configmap', 'held', '-o', 'jsonpath={.metadata.deletionTimestamp}'), /^\d{4}-/);
  assert.match(
    await fails('patch', 'configmap', 'held', '-p', '{"metadata":{"finalizers":["example.com/hold","example.com/more"]}}'),
    /no new finalizers can be added if the object is being deleted/,
  );
  await ok('patch', 'configmap', 'held', '--type=json', '-p', '[{"op":"remove","path":"/metadata/finalizers"}]');
  assert.match(await fails('get', 'configmap', 'held'), /NotFound/);
});

test('a namespace is deleted with its content, and takes nothing new meanwhile', async () => {
  const { ok, fails } = await kube.namespace('leaving');
  await ok('create', 'deployment', 'web', '--image=nginx', '--replicas=2');
  await ok('create', 'secret', 'generic', 'key', '--from-literal=a=b');
  await ok('create', '-f', '-', configMap('held', { finalizers: ['example.com/hold'] }));
  await ok('rollout', 'status', 'deployment/web', '--timeout=20s');
  assert.equal(await kube.ok('delete', 'namespace', 'leaving', '--wait=false'), 'namespace "leaving" deleted\n');
  assert.match(await kube.ok('get', 'namespace', 'leaving'), /leaving +Terminating/);
  assert.match(
    await fails('create', 'configmap', 'late'),
    /configmaps "late" is forbidden: unable to create new content in namespace leaving because it is being terminated/,
  );
  await eventually(kube.client, namespaces, { fieldSelector: 'metadata.name=leaving' }, ([leaving]) => {
    const condition = leaving?.status?.conditions?.find(({ type }) => type === 'NamespaceFinalizersRemaining');
    assert.match(
      condition?.message ?? '',
      /Some content in the namespace has finalizers remaining: example.com\/hold in 1 resource instances/,
    );
  });
  await eventually(kube.client, pods, { namespace: 'leaving' }, (all) => assert.deepEqual(all, []));
  assert.equal(await ok('get', 'deployments,secrets', '-o', 'name'), '');
  assert.match(await kube.ok('describe', 'namespace', 'leaving'), /NamespaceFinalizersRemaining +True/);
  await ok('patch', 'configmap', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
  await kube.ok('wait', '--for=delete', 'namespace/leaving', '--timeout=20s');
  assert.match(await kube.fails('get', 'namespace', 'leaving'), /NotFound/);
  assert.match(
    await kube.fails('delete', 'namespace', 'kube-system'),
    /namespaces "kube-system" is forbidden: this namespace may not be deleted/,
  );
});
