// Addresses of services: given, kept, refused when taken, free again when let go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service, ServiceSpec } from '#api/generated/core-v1.ts';
import { services } from '#api/generated/resources.ts';
import { createMemoryStore } from '#store/memory.ts';
import { startTestServer } from '../server.fixture.ts';

const service = (name: string, spec: ServiceSpec = {}): Service => ({
  metadata: { name, namespace: 'default' },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
});
const ref = (name: string) => ({ namespace: 'default', name });

test('a service gets an address of the range that it keeps through updates', async () => {
  const { client } = await startTestServer({ serviceCidr: '10.96.0.0/24' });
  const created = await client.create(services, service('a'));
  const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy } = created.spec!;
  assert.match(clusterIP!, /^10\.96\.0\.\d+$/);
  assert.deepEqual([clusterIPs, ipFamilies, ipFamilyPolicy], [[clusterIP], ['IPv4'], 'SingleStack']);
  const updated = await client.update(services, service('a', { ports: [{ port: 81 }] }));
  assert.equal(updated.spec!.clusterIP, clusterIP);
  await assert.rejects(client.update(services, service('a', { clusterIP: '10.96.0.200' })), /may not change once set/);
});

test('an address or port that is taken, or out of range, is refused in upstream’s words', async () => {
  const { client } = await startTestServer({ serviceCidr: '10.96.0.0/24' });
  await client.create(services, service('a', { clusterIP: '10.96.0.10', type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }));
  await assert.rejects(client.create(services, service('b', { clusterIP: '10.96.0.10' })), {
    message:
      'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
  });
  await assert.rejects(
    client.create(services, service('b', { clusterIP: '10.97.0.1' })),
    /the provided IP \(10.97.0.1\) is not in the valid range. The range of valid IPs is 10.96.0.0\/24/,
  );
  await assert.rejects(client.create(services, service('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] })), {
    message: 'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
  });
  await assert.rejects(
    client.create(services, service('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] })),
    /provided port is not in the valid range. The range of valid ports is 30000-32767/,
  );
});

test('what a service held is free when it goes, and what a failed request reserved at once', async () => {
  const { client } = await startTestServer();
  const asked = { clusterIP: '10.100.0.20' };
  await assert.rejects(client.create(services, { ...service('Wrong', asked) }), /is invalid/);
  await client.create(services, service('a', asked), { dryRun: true });
  await client.create(services, service('a', asked));
  await client.delete(services, ref('a'));
  await client.create(services, service('b', asked));
});

test('a small range fills to the last address, and each is given once', async () => {
  const { client } = await startTestServer({ serviceCidr: '10.96.0.0/28' });
  const created = await Promise.all(Array.from({ length: 14 }, (_, number) => client.create(services, service(`s${number}`))));
  assert.equal(new Set(created.map(({ spec }) => spec!.clusterIP)).size, 14);
  await assert.rejects(client.create(services, service('more')), /failed to allocate a serviceIP: range is full/);
});

test('a restarted server knows what is taken', async () => {
  const store = createMemoryStore();
  const first = await startTestServer({ store });
  await first.client.create(services, service('a', { clusterIP: '10.100.0.30' }));
  const second = await startTestServer({ store });
  await assert.rejects(second.client.create(services, service('b', { clusterIP: '10.100.0.30' })), /already allocated/);
});

test('changing the type gives and takes what the type needs', async () => {
  const { client } = await startTestServer();
  const external = await client.create(services, { ...service('a'), spec: { type: 'ExternalName', externalName: 'example.com' } });
  assert.equal(external.spec!.clusterIP, undefined);
  const inside = await client.update(services, service('a', { type: 'NodePort' }));
  assert.match(inside.spec!.clusterIP!, /^10\.100\./);
  assert.ok(inside.spec!.ports![0]!.nodePort! >= 30_000);
  const back = await client.update(services, { ...inside, spec: { ...inside.spec!, type: 'ClusterIP' } });
  assert.equal(back.spec!.ports![0]!.nodePort, undefined);
});

test('headless services have no address', async () => {
  const { client } = await startTestServer();
  const headless = await client.create(services, service('a', { clusterIP: 'None' }));
  assert.deepEqual([headless.spec!.clusterIP, headless.spec!.clusterIPs], ['None', ['None']]);
});
