// A container's environment, source by source.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Service } from '#api/generated/core-v1.ts';
import type { EnvSources } from './env.ts';
import { containerEnv } from './env.ts';
import { expand } from './expand.ts';
import { testPod } from './plan.fixture.ts';

const service = (namespace: string, name: string, clusterIP: string, ports: { name?: string; port: number }[]): Service => ({
  metadata: { namespace, name },
  spec: { clusterIP, ports },
});
const services = [
  service('default', 'kubernetes', '10.100.0.1', [{ name: 'https', port: 443 }]),
  service('default', 'my-db', '10.100.0.7', [{ name: 'sql', port: 5432 }]),
  service('default', 'headless', 'None', [{ port: 80 }]),
];
const sources: EnvSources = {
  objects: {
    configMap: (_, name) => Promise.resolve(name === 'settings' ? { metadata: {}, data: { LEVEL: 'info', 'x.y': 'z' } } : undefined),
    secret: (_, name) =>
      Promise.resolve(name === 'key' ? { metadata: {}, data: { pem: Buffer.from('PEM').toString('base64') } } : undefined),
    hold() {},
    release() {},
    stop() {},
  },
  services: (namespace) => services.filter(({ metadata }) => metadata.namespace === namespace),
  node: () => ({ metadata: {}, spec: {}, status: { allocatable: { cpu: '2', memory: '4Gi' } } }),
  podIps: ['10.0.1.5'],
  hostIps: ['10.0.0.10'],
};
const env = async (fields: Partial<Container>, enableServiceLinks = false) =>
  Object.fromEntries(await containerEnv(testPod({ enableServiceLinks }), { name: 'main', ...fields }, sources));
const without = (all: Record<string, string>) =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('KUBERNETES_')));

test('references expand, two dollars make one, unknown names stay', () => {
  assert.equal(expand('$(A)-$$(A)-$(B)-$C', new Map([['A', '1']])), '1-$(A)-$(B)-$C');
});

test('values come from literals, config maps, secrets, fields and resources, and may refer to earlier ones', async () => {
  const all = await env({
    resources: { requests: { memory: '64Mi' }, limits: { cpu: '500m' } },
    envFrom: [{ prefix: 'P_', configMapRef: { name: 'settings' } }],
    env: [
      { name: 'PEM', valueFrom: { secretKeyRef: { name: 'key', key: 'pem' } } },
      { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      { name: 'MILLI', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
      { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Gi' } } },
      { name: 'JOINED', value: '$(NAME)/$(P_LEVEL)' },
      { name: 'ABSENT', valueFrom: { configMapKeyRef: { name: 'none', key: 'k', optional: true } } },
    ],
  });
  assert.deepEqual(without(all), {
    P_LEVEL: 'info',
    'P_x.y': 'z',
    PEM: 'PEM',
    NAME: 'web',
    IP: '10.0.1.5',
    CPUS: '1',
    MILLI: '500',
    MEMORY: '4',
    JOINED: 'web/info',
  });
});

test('the API server is always told, other services where links are on', async () => {
  const off = await env({});
  assert.equal(off.KUBERNETES_SERVICE_HOST, '10.100.0.1');
  assert.equal(off.MY_DB_SERVICE_HOST, undefined);
  const on = await env({}, true);
  assert.deepEqual(
    [
      on.MY_DB_SERVICE_HOST,
      on.MY_DB_SERVICE_PORT,
      on.MY_DB_SERVICE_PORT_SQL,
      on.MY_DB_PORT,
      on.MY_DB_PORT_5432_TCP_ADDR,
      on.HEADLESS_SERVICE_HOST,
    ],
    ['10.100.0.7', '5432', '5432', 'tcp://10.100.0.7:5432', '10.100.0.7', undefined],
  );
});

test('what is missing refuses the container in upstream words', async () => {
  const fails = (fields: Partial<Container>, message: string) => assert.rejects(env(fields), { name: 'ConfigError', message });
  await fails({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] }, 'configmap "none" not found');
  await fails(
    { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'k' } } }] },
    "couldn't find key k in ConfigMap default/settings",
  );
  await fails(
    { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'key', key: 'k' } } }] },
    "couldn't find key k in Secret default/key",
  );
  await fails({ envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found');
});
