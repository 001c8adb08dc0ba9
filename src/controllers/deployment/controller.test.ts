// Deployments on a real API server: what is in the world after each step of a rollout.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Deployment, ReplicaSet } from '#api/generated/apps-v1.ts';
import { deployments, events, pods, replicasets } from '#api/generated/resources.ts';
import { replicaSetController } from '../replicaset/controller.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { deployment, finishDeletions, report, rollOut, startTestCluster, template } from '#root/test/support/controllers-cluster.ts';
import { deploymentController } from './controller.ts';
import { replicaSetOf } from './new-replicaset.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([deploymentController, replicaSetController]);
});
afterEach(() => cluster.stop());

const web = () => cluster.client.get(deployments, { namespace: 'default', name: 'web' });
const condition = ({ status }: Deployment, type: string) => status?.conditions?.find((candidate) => candidate.type === type);
const imageOf = (replicaSet: ReplicaSet) => replicaSet.spec.template?.spec?.containers[0]?.image;
const byImage = async (image: string) => (await cluster.list(replicasets)).find((replicaSet) => imageOf(replicaSet) === image);
const patch = async (spec: object) => {
  await cluster.client.patch(deployments, { namespace: 'default', name: 'web' }, { type: 'merge', body: { spec } });
  await cluster.settle();
};
const setImage = (image: string) => patch({ template: template(image) });
const sizes = async () => Object.fromEntries((await cluster.list(replicasets)).map((one) => [imageOf(one), one.spec.replicas]));

test('a deployment gets a replica set with its template and hash, revision 1, and its pods', async () => {
  await cluster.client.create(deployments, deployment('web'));
  await cluster.settle();
  const [replicaSet] = await cluster.list(replicasets);
  const hash = replicaSet!.metadata.labels!['pod-template-hash']!;
  assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{5,10}$/);
  assert.equal(replicaSet!.metadata.name, `web-${hash}`);
  assert.equal(replicaSet!.spec.selector.matchLabels!['pod-template-hash'], hash);
  const created = await cluster.list(pods);
  assert.equal(created.length, 3);
  for (const { metadata } of created) {
    assert.match(metadata.name!, new RegExp(`^web-${hash}-[a-z0-9]{5}$`));
    assert.deepEqual(metadata.labels, { app: 'web', 'pod-template-hash': hash });
    assert.equal(metadata.ownerReferences?.[0]?.uid, replicaSet!.metadata.uid);
  }
  const current = await web();
  assert.equal(current.metadata.annotations!['deployment.kubernetes.io/revision'], '1');
  assert.equal(condition(current, 'Available')?.reason, 'MinimumReplicasUnavailable');
  assert.equal(condition(current, 'Progressing')?.reason, 'ReplicaSetUpdated');
  const messages = (await cluster.list(events)).map(({ message }) => message);
  assert.ok(messages.includes(`Scaled up replica set web-${hash} from 0 to 3`), messages.join('\n'));
});

test('a rolled out deployment is available and says so', async () => {
  await cluster.client.create(deployments, deployment('web'));
  await rollOut(cluster);
  const current = await web();
  assert.deepEqual(
    { ...current.status, conditions: undefined },
    {
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      conditions: undefined,
      ...Object.fromEntries(Object.entries(current.status!).filter(([, value]) => value === 0)),
    },
  );
  assert.equal(condition(current, 'Available')?.message, 'Deployment has minimum availability.');
  const progressing = condition(current, 'Progressing');
  assert.equal(progressing?.reason, 'NewReplicaSetAvailable');
  assert.match(progressing?.message ?? '', /^ReplicaSet "web-\w+" has successfully progressed\.$/);
});

test('a rolling update never has more than maxSurge above nor maxUnavailable below, and ends on the new template', async () => {
  await cluster.client.create(
    deployments,
    deployment('web', { replicas: 4, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } }),
  );
  await rollOut(cluster);
  await setImage('nginx:2');
  for (let round = 0; round < 20; round++) {
    const all = (await cluster.list(pods)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const ready = all.filter(({ status }) => status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'));
    assert.ok(all.length <= 5, `${all.length} pods`);
    assert.ok(ready.length >= 3, `${ready.length} ready`);
    const next = all.find((one) => !ready.includes(one));
    if (next !== undefined) await report(cluster, [next]);
    else await finishDeletions(cluster);
  }
  assert.deepEqual(await sizes(), { 'nginx:1': 0, 'nginx:2': 4 });
  assert.equal((await web()).metadata.annotations!['deployment.kubernetes.io/revision'], '2');
  assert.ok((await cluster.list(pods)).every(({ spec }) => spec.containers[0]!.image === 'nginx:2'));
});

test('rolling back brings the old replica set to life again, under a new revision', async () => {
  await cluster.client.create(deployments, deployment('web'));
  await rollOut(cluster);
  const first = await byImage('nginx:1');
  await setImage('nginx:2');
  await rollOut(cluster);
  await setImage('nginx:1');
  await rollOut(cluster);
  const restored = await byImage('nginx:1');
  assert.equal(restored!.metadata.uid, first!.metadata.uid);
  assert.equal(restored!.metadata.annotations!['deployment.kubernetes.io/revision'], '3');
  assert.equal(restored!.metadata.annotations!['deployment.kubernetes.io/revision-history'], '1');
  assert.deepEqual(await sizes(), { 'nginx:1': 3, 'nginx:2': 0 });
  assert.equal((await web()).metadata.annotations!['deployment.kubernetes.io/revision'], '3');
});

test('a paused deployment does not roll, but scales; resumed it rolls', async () => {
  await cluster.client.create(deployments, deployment('web'));
  await rollOut(cluster);
  await patch({ paused: true });
  assert.equal(condition(await web(), 'Progressing')?.reason, 'DeploymentPaused');
  await setImage('nginx:2');
  assert.equal(await byImage('nginx:2'), undefined);
  await patch({ replicas: 5 });
  assert.deepEqual(await sizes(), { 'nginx:1': 5 });
  await patch({ paused: false });
  await rollOut(cluster);
  assert.deepEqual(await sizes(), { 'nginx:1': 0, 'nginx:2': 5 });
});

test('a rollout that stands still for progressDeadlineSeconds is reported, and recovers when it goes on', async () => {
  await cluster.client.create(deployments, deployment('web', { progressDeadlineSeconds: 60 }));
  await cluster.settle();
  await cluster.clock.advance(50_000);
  assert.equal(condition(await web(), 'Progressing')?.status, 'True');
  await cluster.clock.advance(15_000);
  const late = condition(await web(), 'Progressing');
  assert.equal(late?.status, 'False');
  assert.equal(late?.reason, 'ProgressDeadlineExceeded');
  assert.match(late?.message ?? '', /^ReplicaSet "web-\w+" has timed out progressing\.$/);
  await rollOut(cluster);
  assert.equal(condition(await web(), 'Progressing')?.reason, 'NewReplicaSetAvailable');
});

test('Recreate starts no new pod before every old one is gone', async () => {
  await cluster.client.create(deployments, deployment('web', { strategy: { type: 'Recreate' } }));
  await rollOut(cluster);
  await setImage('nginx:2');
  assert.deepEqual(await sizes(), { 'nginx:1': 0 });
  assert.ok((await cluster.list(pods)).every(({ metadata }) => metadata.deletionTimestamp !== undefined));
  await finishDeletions(cluster);
  assert.deepEqual(await sizes(), { 'nginx:1': 0, 'nginx:2': 3 });
});

test('scaling in the middle of a rollout shares the new pods in proportion', async () => {
  await cluster.client.create(
    deployments,
    deployment('web', { replicas: 10, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } }),
  );
  await rollOut(cluster);
  await setImage('broken');
  assert.deepEqual(await sizes(), { 'nginx:1': 8, broken: 5 });
  await patch({ replicas: 15 });
  assert.deepEqual(await sizes(), { 'nginx:1': 11, broken: 7 });
});

test('old replica sets beyond the history limit are deleted, the oldest first', async () => {
  await cluster.client.create(deployments, deployment('web', { revisionHistoryLimit: 1 }));
  await rollOut(cluster);
  for (const image of ['nginx:2', 'nginx:3']) {
    await setImage(image);
    await rollOut(cluster);
  }
  assert.deepEqual(await sizes(), { 'nginx:2': 0, 'nginx:3': 3 });
});

test('a replica set of the name that the template hashes to, but another template, is a collision: the name moves on', async () => {
  await cluster.client.create(deployments, deployment('web', { paused: true }));
  await cluster.settle();
  const stored = await web();
  const taken = replicaSetOf(stored, [], 1);
  const { metadata } = taken;
  const foreign = { ...taken, metadata: { ...metadata, ownerReferences: undefined, labels: { other: 'x' } } };
  foreign.spec = { ...taken.spec, replicas: 0, selector: { matchLabels: { other: 'x' } }, template: template('other', { other: 'x' }) };
  await cluster.client.create(replicasets, foreign);
  await patch({ paused: false });
  await cluster.clock.advance(1000);
  assert.equal((await web()).status?.collisionCount, 1);
  const own = await byImage('nginx:1');
  assert.notEqual(own?.metadata.name, metadata.name);
  assert.equal(own?.spec.replicas, 3);
});

test('a deployment adopts a matching replica set that nobody owns', async () => {
  const selector = { matchLabels: { app: 'web', tier: 'old' } };
  const orphan: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'left-over', namespace: 'default', labels: { app: 'web' } },
    spec: { replicas: 1, selector, template: template('nginx:0', { app: 'web', tier: 'old' }) },
  };
  await cluster.client.create(replicasets, orphan);
  await cluster.settle();
  const created = await cluster.client.create(deployments, deployment('web'));
  await rollOut(cluster);
  const adopted = await cluster.client.get(replicasets, { namespace: 'default', name: 'left-over' });
  assert.equal(adopted.metadata.ownerReferences?.[0]?.uid, created.metadata.uid);
  assert.equal(adopted.spec.replicas, 0);
});
