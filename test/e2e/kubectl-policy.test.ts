// The real kubectl and what keeps a cluster in bounds: quotas, limit ranges, disruption budgets, autoscalers, ingresses, events of both groups.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubectlCluster } from '#root/test/support/kubectl-cluster.ts';
import { startKubectlCluster } from '#root/test/support/kubectl-cluster.ts';

let kube: KubectlCluster;
before(async () => {
  kube = await startKubectlCluster({ nodes: 2 });
});
after(() => kube?.stop());

test('a quota is created, described, kept to and counted down', async () => {
  const { ok, fails } = await kube.namespace('quota');
  assert.equal(await ok('create', 'quota', 'small', '--hard=pods=1,configmaps=3'), 'resourcequota/small created\n');
  await ok('wait', '--for=jsonpath={.status.used.pods}=0', 'quota/small', '--timeout=20s');
  await ok('run', 'one', '--image=nginx');
  assert.equal(
    await fails('run', 'two', '--image=nginx'),
    'Error from server (Forbidden): pods "two" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1\n',
  );
  assert.match(await ok('describe', 'quota', 'small'), /Resource +Used +Hard\n-+ +-+ +-+\nconfigmaps +1 +3\npods +1 +1\n/);
  assert.match(await ok('get', 'quota'), /NAME +REQUEST +LIMIT +AGE\nsmall +configmaps: 1\/3, pods: 1\/1 +/);
  assert.match(await ok('describe', 'ns', 'quota'), /Resource Quotas\n +Name: +small\n/);
  await ok('delete', 'pod', 'one', '--force', '--grace-period=0');
  await ok('wait', '--for=jsonpath={.status.used.pods}=0', 'quota/small', '--timeout=20s');
});

test('a limit range fills in and refuses', async () => {
  const { ok, fails } = await kube.namespace('limits');
  const limits = [{ type: 'Container', default: { cpu: '200m' }, defaultRequest: { cpu: '100m' }, max: { cpu: '500m' } }];
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'cpu' }, spec: { limits } });
  assert.equal(await ok('apply', '-f', '-', { input }), 'limitrange/cpu created\n');
  await ok('run', 'web', '--image=nginx');
  assert.equal(await ok('get', 'pod', 'web', '-o', 'jsonpath={.spec.containers[0].resources.requests.cpu}'), '100m');
  const overrides = JSON.stringify({ spec: { containers: [{ name: 'big', image: 'nginx', resources: { limits: { cpu: '1' } } }] } });
  assert.match(
    await fails('run', 'big', '--image=nginx', `--overrides=${overrides}`),
    /pods "big" is forbidden: maximum cpu usage per Container is 500m, but limit is 1/,
  );
  assert.match(await ok('describe', 'ns', 'limits'), /Container +cpu +- +500m +100m +200m/);
});

test('a drain waits for a budget, and goes on when it allows', async () => {
  const { ok, run } = await kube.namespace('drain');
  await ok('create', 'deployment', 'web', '--image=nginx', '--replicas=2');
  await ok('rollout', 'status', 'deployment/web', '--timeout=40s');
  assert.equal(await ok('create', 'pdb', 'web', '--selector=app=web', '--min-available=2'), 'poddisruptionbudget.policy/web created\n');
  await ok('wait', '--for=jsonpath={.status.currentHealthy}=2', 'pdb/web', '--timeout=20s');
  assert.match(await ok('get', 'pdb'), /NAME +MIN AVAILABLE +MAX UNAVAILABLE +ALLOWED DISRUPTIONS +AGE\nweb +2 +N\/A +0 +/);
  const node = await ok('get', 'pods', '-o', 'jsonpath={.items[0].spec.nodeName}');
  const drain = ['drain', node, '--pod-selector=app=web', '--ignore-daemonsets', '--delete-emptydir-data', '--force'];
  const refused = await run(...drain, '--timeout=2s');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /Cannot evict pod as it would violate the pod's disruption budget\./);
  await ok('scale', 'deployment/web', '--replicas=3');
  await ok('rollout', 'status', 'deployment/web', '--timeout=40s');
  await ok('wait', '--for=jsonpath={.status.disruptionsAllowed}=1', 'pdb/web', '--timeout=20s');
  assert.match(await ok(...drain, '--timeout=90s'), /node\/\S+ drained/);
  await ok('uncordon', node);
});

test('an autoscaler is made, shown and described in both versions', async () => {
  const { ok } = await kube.namespace('scale');
  await ok('create', 'deployment', 'web', '--image=nginx', '--replicas=1');
  await ok('set', 'resources', 'deployment/web', '--requests=cpu=100m');
  assert.equal(
    await ok('autoscale', 'deployment', 'web', '--min=2', '--max=4', '--cpu=70%'),
    'horizontalpodautoscaler.autoscaling/web autoscaled\n',
  );
  // Fewer than there must be is mended whatever the metrics say.
  await ok('wait', '--for=jsonpath={.spec.replicas}=2', 'deployment/web', '--timeout=40s');
  assert.match(
    await ok('get', 'hpa'),
    /NAME +REFERENCE +TARGETS +MINPODS +MAXPODS +REPLICAS +AGE\nweb +Deployment\/web +cpu: <unknown>\/70% +2 +4 +\d/,
  );
  assert.equal(
    await ok(
      'get',
      'horizontalpodautoscalers.v1.autoscaling',
      'web',
      '-o',
      'jsonpath={.apiVersion} {.spec.targetCPUUtilizationPercentage}',
    ),
    'autoscaling/v1 70',
  );
  assert.match(
    await ok('describe', 'hpa', 'web'),
    /SuccessfulRescale .*New size: 2; reason: Current number of replicas below Spec\.MinReplicas/,
  );
  await ok('wait', '--for=condition=ScalingActive', 'hpa/web', '--timeout=60s');
  assert.match(await ok('get', 'hpa', 'web'), /cpu: \d+%\/70%/);
  await ok('patch', 'horizontalpodautoscalers.v1.autoscaling', 'web', '-p', '{"spec":{"targetCPUUtilizationPercentage":50}}');
  assert.equal(await ok('get', 'hpa', 'web', '-o', 'jsonpath={.spec.metrics[0].resource.target.averageUtilization}'), '50');
});

test('an ingress is created, listed and described', async () => {
  const { ok } = await kube.namespace('ingress');
  await ok('create', 'ingress', 'web', '--class=nginx', '--rule=web.example.com/*=web:80,tls=web-cert');
  assert.match(await ok('get', 'ing'), /NAME +CLASS +HOSTS +ADDRESS +PORTS +AGE\nweb +nginx +web\.example\.com +80, 443 +/);
  assert.match(await ok('describe', 'ingress', 'web'), /web\.example\.com *\n +\/ +web:80/);
});

test('a pod of a runtime class runs', async () => {
  const { ok } = await kube.namespace('runtime');
  const input = JSON.stringify({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'sandboxed' }, handler: 'runsc' });
  await ok('apply', '-f', '-', { input });
  const overrides = JSON.stringify({ spec: { runtimeClassName: 'sandboxed' } });
  await ok('run', 'web', '--image=nginx', `--overrides=${overrides}`);
  await ok('wait', '--for=condition=Ready', 'pod/web', '--timeout=40s');
});

test('events are there in both groups', async () => {
  const { ok } = await kube.namespace('events');
  await ok('run', 'web', '--image=nginx');
  await ok('wait', '--for=condition=Ready', 'pod/web', '--timeout=40s');
  assert.match(await ok('events', '--for=pod/web'), /Normal +Scheduled +Pod\/web +Successfully assigned events\/web/);
  const reasons = await ok('get', 'events.events.k8s.io', '--field-selector=regarding.name=web', '-o', 'jsonpath={.items[*].note}');
  assert.match(reasons, /Successfully assigned events\/web/);
});
