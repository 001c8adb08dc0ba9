// Server-side apply as kubectl 1.35 and helm 4 use it: managers, conflicts, taking over from client-side apply, releases.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { deployments } from '#api/generated/resources.ts';
import { helmPath } from '../support/kubectl.ts';
import type { KubectlCluster } from '../support/kubectl-cluster.ts';
import { startKubectlCluster } from '../support/kubectl-cluster.ts';

let kube: KubectlCluster;
let helm: string;
before(async () => {
  kube = await startKubectlCluster({ nodes: 1 });
  helm = await helmPath();
});
after(async () => await kube.stop());

const deployment = (name: string, replicas: number, image = 'nginx') => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: main
        image: ${image}
        ports: [{containerPort: 80}]
`;
const configMap = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\ndata: {${data}}\n`;
const apply = (...args: string[]) => ['apply', '--server-side', '-f', '-', ...args];

test('two managers share an object, and kubectl tells how to end their conflict', async () => {
  const created = await kube.ok(...apply('--field-manager=one'), { input: configMap('a: "1", b: "1"') });
  assert.equal(created, 'configmap/shared serverside-applied\n');
  await kube.ok(...apply('--field-manager=two'), { input: configMap('c: "2"') });
  const refused = await kube.fails(...apply('--field-manager=two'), { input: configMap('a: "2", c: "2"') });
  assert.match(refused, /^error: Apply failed with 1 conflict: conflict with "one": \.data\.a\nPlease review the fields above/);
  await kube.ok(...apply('--field-manager=two', '--force-conflicts'), { input: configMap('a: "2", c: "2"') });
  await kube.ok(...apply('--field-manager=one'), { input: configMap('b: "1"') });
  const data = await kube.ok('get', 'configmap', 'shared', '-o', 'jsonpath={.data}');
  assert.deepEqual(JSON.parse(data), { a: '2', b: '1', c: '2' });
  assert.ok(!(await kube.ok('get', 'configmap', 'shared', '-o', 'yaml')).includes('managedFields'));
  const shown = await kube.ok('get', 'configmap', 'shared', '-o', 'yaml', '--show-managed-fields');
  assert.match(shown, /manager: one\n {4}operation: Apply/);
});

test('an object of client-side apply moves to server-side apply without a conflict, and can lose fields there', async () => {
  await kube.ok('apply', '-f', '-', { input: deployment('moved', 1) });
  await kube.ok(...apply(), { input: deployment('moved', 2).replace('        ports: [{containerPort: 80}]\n', '') });
  const { spec, metadata } = await kube.client.get(deployments, { namespace: 'default', name: 'moved' });
  assert.equal(spec?.replicas, 2);
  assert.equal(spec?.template.spec?.containers[0]?.ports, undefined);
  const managers = metadata.managedFields!.map(({ manager, operation }) => `${manager} ${operation}`);
  assert.ok(managers.includes('kubectl Apply') && !managers.includes('kubectl-client-side-apply Update'), managers.join());
  assert.match(await kube.ok(...apply('--dry-run=server'), { input: deployment('moved', 2) }), /serverside-applied \(server dry run\)/);
});

test('a server-side diff shows what an apply would change, and changes nothing', async () => {
  await kube.ok(...apply(), { input: deployment('different', 1) });
  const diff = await kube.run('diff', '--server-side', '-f', '-', { input: deployment('different', 3) });
  assert.equal(diff.code, 1);
  assert.match(diff.stdout, /-  replicas: 1\n\+  replicas: 3/);
  assert.equal((await kube.run('diff', '--server-side', '-f', '-', { input: deployment('different', 1) })).code, 0);
});

test('kubectl scale takes the replicas over, and an apply without them leaves them alone', async () => {
  await kube.ok(...apply(), { input: deployment('scaled', 1) });
  await kube.ok('scale', 'deployment/scaled', '--replicas=2');
  assert.match(
    await kube.fails(...apply(), { input: deployment('scaled', 1) }),
    /conflict with "kubectl".* with subresource "scale" using apps\/v1: \.spec\.replicas/,
  );
  await kube.ok(...apply(), { input: deployment('scaled', 1).replace('  replicas: 1\n', '') });
  assert.equal(await kube.ok('get', 'deployment', 'scaled', '-o', 'jsonpath={.spec.replicas}'), '2');
});

test('helm installs, upgrades, rolls back and uninstalls a chart', async () => {
  const chart = join(kube.home, 'chart');
  await mkdir(join(chart, 'templates'), { recursive: true });
  await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: chart\nversion: 1.0.0\n');
  await writeFile(join(chart, 'values.yaml'), 'replicas: 1\nextra: true\n');
  await writeFile(join(chart, 'templates', 'web.yaml'), deployment('web', 1).replace('replicas: 1', 'replicas: {{ .Values.replicas }}'));
  const extra = `{{ if .Values.extra }}${configMap('a: "1"').replace('shared', 'extra')}{{ end }}`;
  await writeFile(join(chart, 'templates', 'extra.yaml'), extra);
  const run = (...args: string[]) => kube.ok(...args, { program: helm });
  const replicas = () => kube.ok('get', 'deployment', 'web', '-o', 'jsonpath={.spec.replicas}');

  assert.match(await run('install', 'release', chart, '--wait'), /STATUS: deployed/);
  assert.equal(await replicas(), '1');
  const { metadata } = await kube.client.get(deployments, { namespace: 'default', name: 'web' });
  assert.ok(metadata.managedFields!.some(({ manager, operation }) => manager === 'helm' && operation === 'Apply'));
  assert.match(await run('upgrade', 'release', chart, '--set', 'replicas=2,extra=false', '--wait'), /STATUS: deployed/);
  assert.equal(await replicas(), '2');
  assert.match(await kube.fails('get', 'configmap', 'extra'), /NotFound/);
  await run('rollback', 'release', '1', '--wait');
  assert.equal(await replicas(), '1');
  await kube.ok('get', 'configmap', 'extra');
  await run('uninstall', 'release', '--wait');
  assert.match(await kube.fails('get', 'deployment', 'web'), /NotFound/);
});
