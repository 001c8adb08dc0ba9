// LimitRanger and ResourceQuota: what a namespace's limits give, refuse and count.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitRange, Pod, ResourceQuota, Service } from '#api/generated/core-v1.ts';
import { configmaps, limitranges, persistentvolumeclaims, pods, resourcequotas, services } from '#api/generated/resources.ts';
import { resourceQuotaController } from '#controllers/resource-quota/controller.ts';
import { pod, startTestCluster } from '#root/test/support/controllers-cluster.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { startTestServer } from '../server.fixture.ts';

const metadata = { name: 'limits', namespace: 'default' };
const withResources = (name: string, resources: object, more: object = {}): Pod =>
  pod(name, {}, { spec: { containers: [{ name: 'web', image: 'nginx', resources }], ...more } });

test('a container gets the defaults of the namespace, and the pod says so', async () => {
  const { server, client } = await startTestServer();
  const limits = [{ type: 'Container', default: { cpu: '500m', memory: '256Mi' }, defaultRequest: { cpu: '100m' } }];
  await client.create(limitranges, { metadata, spec: { limits } } as unknown as LimitRange);
  const created = await client.create(pods, withResources('web', { limits: { cpu: '1' } }));
  assert.deepEqual(created.spec.containers![0]!.resources, {
    limits: { cpu: '1', memory: '256Mi' },
    // A limit of its own is a request of its own.
    requests: { cpu: '1', memory: '256Mi' },
  });
  assert.equal(
    created.metadata.annotations!['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: memory request for container web; memory limit for container web',
  );
  await server.stop();
});

test('pods and claims outside of the bounds are refused with every complaint', async () => {
  const { server, client } = await startTestServer();
  const limits = [
    { type: 'Container', max: { cpu: '1' }, min: { memory: '64Mi' }, maxLimitRequestRatio: { cpu: '2' } },
    { type: 'Pod', max: { memory: '1Gi' } },
    { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } },
  ];
  await client.create(limitranges, { metadata, spec: { limits } } as unknown as LimitRange);
  const wrong = withResources('web', { limits: { cpu: '1500m', memory: '2Gi' }, requests: { cpu: '500m', memory: '32Mi' } });
  await assert.rejects(client.create(pods, wrong), {
    message:
      'pods "web" is forbidden: [minimum memory usage per Container is 64Mi, but request is 32Mi, maximum cpu usage per Container is 1, but limit is 1500m, cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000, maximum memory usage per Pod is 1Gi, but limit is 2Gi]',
    code: 403,
  });
  const claim = (storage: string) => ({
    metadata: { name: 'data', namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  });
  await assert.rejects(client.create(persistentvolumeclaims, claim('3Gi')), {
    message: 'persistentvolumeclaims "data" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
  });
  await client.create(persistentvolumeclaims, claim('2Gi'));
  await server.stop();
});

async function withQuota(cluster: TestCluster, spec: ResourceQuota['spec']): Promise<void> {
  await cluster.client.create(resourcequotas, { metadata: { name: 'quota', namespace: 'default' }, spec } as ResourceQuota);
  await cluster.settle();
}
const used = async ({ client }: TestCluster) => (await client.get(resourcequotas, { namespace: 'default', name: 'quota' })).status!.used;

test('a quota counts what is there, what comes and what goes', async () => {
  const cluster = await startTestCluster([resourceQuotaController]);
  const { client } = cluster;
  const asks = { requests: { cpu: '300m' }, limits: { cpu: '1' } };
  await client.create(pods, withResources('a', asks));
  await withQuota(cluster, { hard: { pods: '3', 'requests.cpu': '800m', 'count/configmaps': '1' } });
  assert.deepEqual(await used(cluster), { pods: '1', 'requests.cpu': '300m', 'count/configmaps': '0' });
  await client.create(pods, withResources('b', asks));
  assert.deepEqual(await used(cluster), { pods: '2', 'requests.cpu': '600m', 'count/configmaps': '0' });
  await assert.rejects(client.create(pods, withResources('c', asks)), {
    message:
      'pods "c" is forbidden: exceeded quota: quota, requested: requests.cpu=300m, used: requests.cpu=600m, limited: requests.cpu=800m',
    code: 403,
  });
  await assert.rejects(client.create(pods, withResources('c', {})), {
    message: 'pods "c" is forbidden: failed quota: quota: must specify requests.cpu for: web',
  });
  await client.delete(pods, { namespace: 'default', name: 'a' }, { gracePeriodSeconds: 0 });
  await cluster.settle();
  assert.deepEqual(await used(cluster), { pods: '1', 'requests.cpu': '300m', 'count/configmaps': '0' });
  await client.create(configmaps, { metadata: { name: 'one', namespace: 'default' } });
  await assert.rejects(
    client.create(configmaps, { metadata: { name: 'two', namespace: 'default' } }),
    /exceeded quota: quota, requested: count/,
  );
  await cluster.stop();
});

test('of several creates that race for the last place one gets it', async () => {
  const cluster = await startTestCluster([resourceQuotaController]);
  await withQuota(cluster, { hard: { pods: '2' } });
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const outcomes = await Promise.allSettled(names.map((name) => cluster.client.create(pods, withResources(name, {}))));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 2);
  assert.equal((await cluster.list(pods)).length, 2);
  assert.deepEqual(await used(cluster), { pods: '2' });
  await cluster.stop();
});

test('what was charged for a write that failed is given back', async () => {
  const cluster = await startTestCluster([resourceQuotaController]);
  await withQuota(cluster, { hard: { pods: '5' } });
  await cluster.client.create(pods, withResources('a', {}));
  await assert.rejects(cluster.client.create(pods, withResources('a', {})), /already exists/);
  await cluster.clock.advance(6_000);
  await cluster.settle();
  assert.deepEqual(await used(cluster), { pods: '1' });
  await cluster.stop();
});

test('a quota with scopes is about the pods in all of them, and a service is charged for the ports it gains', async () => {
  const cluster = await startTestCluster([resourceQuotaController]);
  const { client } = cluster;
  await withQuota(cluster, { hard: { pods: '1' }, scopes: ['BestEffort', 'NotTerminating'] });
  await client.create(pods, withResources('burstable', { requests: { cpu: '1' } }));
  await client.create(pods, withResources('ending', {}, { activeDeadlineSeconds: 5 }));
  assert.deepEqual(await used(cluster), { pods: '0' });
  await client.create(pods, withResources('best', {}));
  await assert.rejects(
    client.create(pods, withResources('more', {})),
    /exceeded quota: quota, requested: pods=1, used: pods=1, limited: pods=1/,
  );

  const ports = { name: 'ports', namespace: 'default' };
  await client.create(resourcequotas, { metadata: ports, spec: { hard: { 'services.nodeports': '1' } } } as ResourceQuota);
  await cluster.settle();
  const service = await client.create(services, {
    metadata: { name: 'web', namespace: 'default' },
    spec: { ports: [{ port: 80 }] },
  } as Service);
  const exposed = await client.update(services, { ...service, spec: { ...service.spec, type: 'NodePort' } });
  assert.equal((await client.get(resourcequotas, ports)).status!.used!['services.nodeports'], '1');
  const two = [...exposed.spec.ports!.map((port) => ({ ...port, name: 'a' })), { name: 'b', port: 81 }];
  await assert.rejects(client.update(services, { ...exposed, spec: { ...exposed.spec, ports: two as never } }), /exceeded quota: ports/);
  await cluster.stop();
});
