// The real kubectl on daemon sets, stateful sets, jobs and cron jobs: apply, rollout, create job, columns, describe.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubectlCluster } from '#root/test/support/kubectl-cluster.ts';
import { startKubectlCluster } from '#root/test/support/kubectl-cluster.ts';

let kube: KubectlCluster;
before(async () => {
  kube = await startKubectlCluster({ nodes: 2 });
});
after(() => kube?.stop());

const template = (app: string, image = 'nginx:1') => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image }], terminationGracePeriodSeconds: 0 },
});
const set = (kind: string, name: string, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: template(name), ...spec },
});

test('a daemon set is rolled out, changed, undone and restarted; its history is told', async () => {
  const { ok, fails } = await kube.namespace('daemons');
  await ok('apply', '-f', await kube.file('agent.json', set('DaemonSet', 'agent')));
  assert.match(await ok('rollout', 'status', 'daemonset/agent', '--timeout=30s'), /daemon set "agent" successfully rolled out\n$/);
  assert.match(
    await ok('get', 'ds', 'agent'),
    /NAME +DESIRED +CURRENT +READY +UP-TO-DATE +AVAILABLE +NODE SELECTOR +AGE\nagent +2 +2 +2 +2 +2 +<none>/,
  );
  await ok('set', 'image', 'ds/agent', 'main=nginx:2');
  await ok('rollout', 'status', 'ds/agent', '--timeout=30s');
  assert.match(await ok('rollout', 'history', 'ds/agent'), /REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>/);
  assert.match(await ok('rollout', 'history', 'ds/agent', '--revision=1'), /Image:\tnginx:1/);
  assert.equal(await ok('rollout', 'undo', 'ds/agent'), 'daemonset.apps/agent rolled back\n');
  await ok('rollout', 'status', 'ds/agent', '--timeout=30s');
  assert.equal(await ok('get', 'ds', 'agent', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'), 'nginx:1');
  assert.match(await ok('rollout', 'history', 'ds/agent'), /\n2 +<none>\n3 +<none>/);
  assert.equal(await ok('rollout', 'restart', 'ds/agent'), 'daemonset.apps/agent restarted\n');
  await ok('rollout', 'status', 'ds/agent', '--timeout=30s');
  assert.match(await ok('get', 'controllerrevisions'), /NAME +CONTROLLER +REVISION +AGE\nagent-\w+ +daemonset\.apps\/agent +\d/);
  assert.match(await ok('describe', 'ds', 'agent'), /Desired Number of Nodes Scheduled: 2\n/);
  assert.match(await fails('scale', 'ds/agent', '--replicas=1'), /could not find the requested resource|not found/);
});

test('a stateful set is rolled out, scaled, changed and undone, each pod under its own name', async () => {
  const { ok } = await kube.namespace('states');
  await ok('apply', '-f', await kube.file('db.json', set('StatefulSet', 'db', { replicas: 2, serviceName: 'db' })));
  assert.match(await ok('rollout', 'status', 'sts/db', '--timeout=30s'), /partitioned roll out complete|complete/);
  assert.match(await ok('get', 'sts', 'db'), /NAME +READY +AGE\ndb +2\/2 /);
  assert.equal(await ok('get', 'pods', '-o', 'name'), 'pod/db-0\npod/db-1\n');
  assert.equal(await ok('scale', 'sts/db', '--replicas=3'), 'statefulset.apps/db scaled\n');
  await ok('wait', '--for=jsonpath={.status.readyReplicas}=3', 'sts/db', '--timeout=30s');
  await ok('set', 'image', 'sts/db', 'main=nginx:2');
  await ok('rollout', 'status', 'sts/db', '--timeout=30s');
  assert.match(await ok('rollout', 'history', 'sts/db'), /\n1 +<none>\n2 +<none>/);
  assert.equal(await ok('rollout', 'undo', 'sts/db', '--to-revision=1'), 'statefulset.apps/db rolled back\n');
  await ok('rollout', 'status', 'sts/db', '--timeout=30s');
  assert.equal(await ok('get', 'pods', '-o', 'jsonpath={.items[*].spec.containers[0].image}'), 'nginx:1 nginx:1 nginx:1');
  assert.equal(await ok('rollout', 'restart', 'sts/db'), 'statefulset.apps/db restarted\n');
  await ok('rollout', 'status', 'sts/db', '--timeout=30s');
  assert.match(await ok('get', 'pods', '-l', 'apps.kubernetes.io/pod-index=2'), /db-2 +1\/1 +Running/);
});

test('the claims of a stateful set are bound before its pods run', async () => {
  const { ok } = await kube.namespace('claims');
  const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
  await ok('apply', '-f', await kube.file('store.json', set('StatefulSet', 'store', { replicas: 2, volumeClaimTemplates: [claim] })));
  await ok('rollout', 'status', 'sts/store', '--timeout=30s');
  assert.match(await ok('get', 'pvc'), /data-store-0 +Bound .*\ndata-store-1 +Bound /);
});

test('create job, also from a cron job; wait, logs, columns and events', async () => {
  const { ok, fails } = await kube.namespace('jobs');
  assert.equal(await ok('create', 'job', 'once', '--image=busybox', '--', 'sleep', '1'), 'job.batch/once created\n');
  await ok('wait', '--for=condition=complete', 'job/once', '--timeout=30s');
  assert.match(await ok('get', 'jobs'), /NAME +STATUS +COMPLETIONS +DURATION +AGE\nonce +Complete +1\/1 +\d+s /);
  assert.match(await ok('logs', 'job/once'), /simulated/);
  assert.match(
    await ok('describe', 'job', 'once'),
    /Pods Statuses: +0 Active \(0 Ready\) \/ 1 Succeeded \/ 0 Failed\n[^]*Completed +\S+ +job-controller +Job completed/,
  );
  assert.equal(await ok('get', 'jobs', '--field-selector=status.successful=1', '-o', 'name'), 'job.batch/once\n');

  const schedule = ['create', 'cronjob', 'tick', '--image=busybox', '--schedule=0 0 1 1 *', '--', 'true'];
  assert.equal(await ok(...schedule), 'cronjob.batch/tick created\n');
  assert.match(
    await ok('get', 'cronjobs'),
    /NAME +SCHEDULE +TIMEZONE +SUSPEND +ACTIVE +LAST SCHEDULE +AGE\ntick +0 0 1 1 \* +<none> +False +0 +<none> /,
  );
  assert.equal(await ok('create', 'job', 'now', '--from=cronjob/tick'), 'job.batch/now created\n');
  await ok('wait', '--for=condition=complete', 'job/now', '--timeout=30s');
  assert.match(
    await fails('create', 'cronjob', 'bad', '--image=busybox', '--schedule=61 * * * *'),
    /CronJob\.batch "bad" is invalid: spec\.schedule: Invalid value: "61 \* \* \* \*": end of range \(61\) above maximum \(59\): 61/,
  );
  assert.match(
    await fails('patch', 'job', 'once', '-p', '{"spec":{"completions":2}}'),
    /spec\.completions: Invalid value: 2: field is immutable/,
  );
  await ok('delete', 'job', 'once', 'now');
  await ok('delete', 'cronjob', 'tick');
  assert.equal(await ok('get', 'pods', '-o', 'name'), '');
});
