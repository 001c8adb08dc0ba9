// Forks of a whole cluster: they go on from the source's state, with its pods running, and then each goes its own way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '#api/generated/apps-v1.ts';
import type { ConfigMap, Pod } from '#api/generated/core-v1.ts';
import { configmaps, deployments, namespaces, nodes, pods } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import type { Client } from '#client/client.ts';
import { seededRandom } from '#lib/random.ts';
import { createCluster } from './create-cluster.ts';
import { eventually } from './eventually.ts';

const web = (replicas: number): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'nginx', image: 'nginx' }] } },
  },
});

const configMap = (name: string): ConfigMap => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } });
const runningPods = (client: Client, count: number) =>
  eventually(client, pods, { labelSelector: 'app=web' }, (all) => {
    assert.deepEqual(
      all.map((pod) => pod.status?.phase),
      Array.from({ length: count }, () => 'Running'),
    );
  });
const namesOf = async (client: Client) =>
  (await client.list(configmaps, { namespace: 'default' })).items
    .map(({ metadata }) => metadata.name!)
    .filter((name) => name !== 'kube-root-ca.crt');
/** What tells whether a pod went on or was started anew. */
const lifeOf = ({ metadata, spec, status }: Pod) => ({
  uid: metadata.uid,
  node: spec.nodeName,
  ip: status?.podIP,
  container: status?.containerStatuses?.[0]?.containerID,
  restarts: status?.containerStatuses?.[0]?.restartCount,
});

test('a fork has the source’s objects, revision and running pods', async () => {
  await using source = await createCluster({ nodes: 2 });
  await source.client.create(deployments, web(3));
  await runningPods(source.client, 3);
  const before = await source.client.list(pods, { labelSelector: 'app=web' });
  await using fork = await source.fork({ random: seededRandom(1) });
  const after = await fork.client.list(pods, { labelSelector: 'app=web' });
  assert.deepEqual(after.items.map(lifeOf), before.items.map(lifeOf));
  assert(Number(after.metadata.resourceVersion) >= Number(before.metadata.resourceVersion));
  assert.deepEqual(
    (await fork.client.list(nodes)).items.map(({ metadata }) => metadata.name),
    ['node-1', 'node-2'],
  );
  // The pods are really there: the fork's kubelets run more of them, and end those that are no longer wanted.
  await fork.client.patch(deployments, { namespace: 'default', name: 'web' }, { type: 'merge', body: { spec: { replicas: 5 } } });
  await runningPods(fork.client, 5);
  const ips = (await fork.client.list(pods, { labelSelector: 'app=web' })).items.map(({ status }) => status?.podIP);
  assert.equal(new Set(ips).size, 5);
  assert.equal(await fork.addNode(), 'node-3');
});

test('nothing that is written to the source or to one fork is seen in another, whoever is stopped first', async () => {
  const source = await createCluster({ nodes: 1 });
  await source.client.create(deployments, web(2));
  await runningPods(source.client, 2);
  await source.client.create(configmaps, configMap('prepared'));
  const [one, other] = [await source.fork(), await source.fork()];
  await source.client.create(configmaps, configMap('in-source'));
  await one.client.create(configmaps, configMap('in-one'));
  await one.client.delete(configmaps, { namespace: 'default', name: 'prepared' });
  await other.client.delete(deployments, { namespace: 'default', name: 'web' });
  await eventually(other.client, pods, { labelSelector: 'app=web' }, (all) => assert.deepEqual(all, []));
  await runningPods(source.client, 2);
  await runningPods(one.client, 2);
  await source.stop();
  await one.client.create(configmaps, configMap('after-source'));
  assert.deepEqual(await namesOf(one.client), ['after-source', 'in-one']);
  assert.deepEqual(await namesOf(other.client), ['prepared']);
  await one.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'own' }, spec: {} });
  await assert.rejects(other.client.get(namespaces, { name: 'own' }), isNotFound);
  await Promise.all([one.stop(), other.stop()]);
});

test('a watch of the source hears nothing of the fork, and the fork takes it up where the source had brought it', async () => {
  await using source = await createCluster({ nodes: 0 });
  const { metadata } = await source.client.create(configmaps, configMap('start'));
  const follow = (client: Client) => {
    const heard: string[] = [];
    const watch = client.watch(configmaps, { namespace: 'default', resourceVersion: metadata.resourceVersion! }, (events) => {
      for (const event of events) if (event.type !== 'BOOKMARK') heard.push(`${event.type} ${event.object.metadata.name}`);
    });
    return { heard, watch };
  };
  await source.client.create(configmaps, configMap('before'));
  const atSource = follow(source.client);
  await using fork = await source.fork();
  const atFork = follow(fork.client);
  const inFork = await fork.client.create(configmaps, configMap('in-fork'));
  const inSource = await source.client.create(configmaps, configMap('in-source'));
  for (const written of [inFork, inSource]) assert(Number(written.metadata.resourceVersion) > Number(metadata.resourceVersion));
  const own = (heard: string[]) => heard.filter((line) => !line.includes('kube-root-ca'));
  assert.deepEqual(own(atSource.heard), ['ADDED before', 'ADDED in-source']);
  assert.deepEqual(own(atFork.heard), ['ADDED before', 'ADDED in-fork']);
  atSource.watch.close();
  atFork.watch.close();
});
