// Classes that admission looks up: what an ingress gets without asking, and what a pod's runtime class does to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import type { Ingress, IngressClass } from '#api/generated/networking-v1.ts';
import type { RuntimeClass } from '#api/generated/node-v1.ts';
import { ingressclasses, ingresses, pods, runtimeclasses } from '#api/generated/resources.ts';
import { startTestServer } from '../server.fixture.ts';

const backend = { service: { name: 'web', port: { number: 80 } } };
const ingress = (name: string, spec: object = {}): Ingress => ({
  metadata: { name, namespace: 'default' },
  spec: { defaultBackend: backend, ...spec },
});

test('an ingress without a class gets the newest default one', async () => {
  const { server, client, clock } = await startTestServer();
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
  for (const name of ['old', 'new']) {
    const made: IngressClass = { metadata: { name, annotations }, spec: { controller: 'example.com/ingress' } };
    await client.create(ingressclasses, made);
    await clock.advance(1000);
  }
  assert.equal((await client.create(ingresses, ingress('a'))).spec.ingressClassName, 'new');
  assert.equal((await client.create(ingresses, ingress('b', { ingressClassName: 'old' }))).spec.ingressClassName, 'old');
  await server.stop();
});

test('an ingress whose paths are unclear is refused, field by field', async () => {
  const { server, client } = await startTestServer();
  const paths = [
    { path: 'a', pathType: 'Prefix', backend },
    { path: '/a//b', pathType: 'Exact', backend: { service: { name: 'web', port: {} } } },
    { path: '/', backend },
  ];
  const wrong = ingress('web', { rules: [{ host: '10.0.0.1', http: { paths } }] });
  const at = 'spec.rules[0].http.paths';
  await assert.rejects(client.create(ingresses, wrong), {
    message: `Ingress.networking.k8s.io "web" is invalid: [${[
      'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
      `${at}[0].path: Invalid value: "a": must be an absolute path`,
      `${at}[1].path: Invalid value: "/a//b": must not contain '//'`,
      `${at}[1].backend: Required value: port name or number is required`,
      `${at}[2].pathType: Required value: pathType must be specified`,
    ].join(', ')}]`,
  });
  await server.stop();
});

test('a pod of a runtime class bears its overhead and goes where it runs; without the class there is no pod', async () => {
  const { server, client } = await startTestServer();
  const scheduling = { nodeSelector: { sandboxed: 'yes' }, tolerations: [{ key: 'sandboxed', operator: 'Exists' }] };
  const sandboxed: RuntimeClass = {
    metadata: { name: 'sandboxed' },
    handler: 'runsc',
    overhead: { podFixed: { memory: '64Mi' } },
    scheduling,
  };
  await client.create(runtimeclasses, sandboxed);
  const pod = (name: string, spec: object): Pod => ({
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'web', image: 'nginx' }], ...spec },
  });
  const made = await client.create(pods, pod('a', { runtimeClassName: 'sandboxed' }));
  assert.deepEqual(made.spec.overhead, { memory: '64Mi' });
  assert.deepEqual(made.spec.nodeSelector, { sandboxed: 'yes' });
  assert.deepEqual(
    made.spec.tolerations!.find(({ key }) => key === 'sandboxed'),
    { key: 'sandboxed', operator: 'Exists' },
  );
  await assert.rejects(client.create(pods, pod('b', { runtimeClassName: 'none' })), {
    message: 'pods "b" is forbidden: pod rejected: RuntimeClass "none" not found',
  });
  await assert.rejects(client.create(pods, pod('c', { runtimeClassName: 'sandboxed', nodeSelector: { sandboxed: 'no' } })), {
    message:
      'pods "c" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[sandboxed] = yes; pod.spec.nodeSelector[sandboxed] = no',
  });
  await assert.rejects(client.create(pods, pod('d', { overhead: { cpu: '1' } })), /Overhead set without corresponding RuntimeClass/);
  await server.stop();
});
