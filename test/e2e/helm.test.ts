// The real helm installs, upgrades, rolls back and removes a chart, with patches that it makes itself.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { helmPath } from '#root/test/support/kubectl.ts';
import type { KubectlCluster } from '#root/test/support/kubectl-cluster.ts';
import { startKubectlCluster } from '#root/test/support/kubectl-cluster.ts';

let kube: KubectlCluster;
before(async () => {
  kube = await startKubectlCluster({ nodes: 1 });
});
after(() => kube?.stop());

const labels = { app: '{{ .Release.Name }}' };
const templates = {
  deployment: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: '{{ .Release.Name }}' },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'nginx:{{ .Values.tag }}' }] } },
    },
  },
  service: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: '{{ .Release.Name }}' },
    spec: { selector: labels, ports: [{ port: 80 }] },
  },
  configmap: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '{{ .Release.Name }}' }, data: { tag: '{{ .Values.tag }}' } },
};

async function writeChart(): Promise<string> {
  await mkdir(join(kube.home, 'chart/templates'), { recursive: true });
  await kube.file('chart/Chart.yaml', { apiVersion: 'v2', name: 'web', version: '1.0.0' });
  await kube.file('chart/values.yaml', { tag: 'one' });
  for (const [name, template] of Object.entries(templates)) await kube.file(`chart/templates/${name}.yaml`, template);
  return join(kube.home, 'chart');
}

test('install, upgrade, roll back and uninstall', async () => {
  const chart = await writeChart();
  const program = await helmPath();
  const helm = (...args: string[]) => kube.ok(...args, { program });
  const state = () =>
    kube.ok(
      'get',
      'deployment/shop',
      'configmap/shop',
      '-o',
      'jsonpath={.items[0].spec.template.spec.containers[0].image} {.items[1].data.tag}',
    );
  const waiting = ['--wait', '--timeout=30s'];

  assert.match(await helm('install', 'shop', chart, '--server-side=false', ...waiting), /NAME: shop\n[^]*STATUS: deployed\nREVISION: 1\n/);
  assert.equal(await state(), 'nginx:one one');
  assert.match(await kube.ok('get', 'service', 'shop'), /shop +ClusterIP +10\.100\./);
  assert.match(
    await helm('upgrade', 'shop', chart, '--set', 'tag=two', '--server-side=false', ...waiting),
    /STATUS: deployed\nREVISION: 2\n/,
  );
  assert.equal(await state(), 'nginx:two two');
  assert.match(await helm('rollback', 'shop', '1', '--server-side=false', ...waiting), /Rollback was a success/);
  assert.equal(await state(), 'nginx:one one');
  assert.match(
    await helm('history', 'shop'),
    /1\s+.*\tsuperseded[^]*2\s+.*\tsuperseded[^]*3\s+.*\tdeployed\s+web-1\.0\.0\s.*Rollback to 1/,
  );
  assert.match(await helm('list'), /shop\s+default\s+3\s+.*\tdeployed\s+web-1\.0\.0/);
  assert.match(await helm('uninstall', 'shop', ...waiting), /release "shop" uninstalled/);
  assert.match(await kube.fails('get', 'deployment', 'shop'), /NotFound/);
  assert.equal(await kube.ok('get', 'secrets', '-o', 'name'), '');
});
