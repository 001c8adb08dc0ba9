// Disruption budgets: what they allow, and that evictions keep to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployments, events, poddisruptionbudgets, pods } from '#api/generated/resources.ts';
import type { Eviction, PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import type { ApiError } from '#api/meta/errors.ts';
import type { ResourceType } from '#api/meta/object.ts';
import { deployment, finishDeletions, pod, report, rollOut, startTestCluster } from '#root/test/support/controllers-cluster.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { deploymentController } from '../deployment/controller.ts';
import { replicaSetController } from '../replicaset/controller.ts';
import { disruptionController } from './controller.ts';

const controllers = [deploymentController, replicaSetController, disruptionController];
const selector = { matchLabels: { app: 'web' } };

async function budget(cluster: TestCluster, spec: PodDisruptionBudget['spec']): Promise<void> {
  await cluster.client.create(poddisruptionbudgets, { metadata: { name: 'web', namespace: 'default' }, spec: { selector, ...spec } });
  await cluster.settle();
}
const status = async ({ client }: TestCluster) => (await client.get(poddisruptionbudgets, { namespace: 'default', name: 'web' })).status!;

async function evict(cluster: TestCluster, name: string): Promise<ApiError | undefined> {
  const ref = { namespace: 'default', name };
  const eviction: Eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: ref };
  try {
    await cluster.client.create(pods as unknown as ResourceType<Eviction>, eviction, { subresource: 'eviction' }, ref);
    return undefined;
  } catch (error) {
    return error as ApiError;
  } finally {
    await cluster.settle();
  }
}

test('a budget in percent counts from what the deployment wants, and evictions take it up one by one', async () => {
  const cluster = await startTestCluster(controllers);
  await cluster.client.create(deployments, deployment('web', { replicas: 4 }));
  await rollOut(cluster);
  await budget(cluster, { minAvailable: '75%' });
  const { conditions, ...counts } = await status(cluster);
  assert.deepEqual(counts, { observedGeneration: 1, currentHealthy: 4, desiredHealthy: 3, expectedPods: 4, disruptionsAllowed: 1 });
  assert.deepEqual(
    conditions!.map(({ type, status: value, reason }) => [type, value, reason]),
    [['DisruptionAllowed', 'True', 'SufficientPods']],
  );
  const [first, second] = (await cluster.list(pods)).map(({ metadata }) => metadata.name!);
  // Both at once: there is one disruption for the two of them.
  const refusals = (await Promise.all([evict(cluster, first!), evict(cluster, second!)])).filter((error) => error !== undefined);
  assert.equal(refusals.length, 1);
  assert.equal(refusals[0]!.code, 429);
  assert.equal(refusals[0]!.message, "Cannot evict pod as it would violate the pod's disruption budget.");
  assert.deepEqual(
    refusals[0]!.status.details!.causes!.map(({ reason }) => reason),
    ['DisruptionBudget'],
  );
  assert.equal((await status(cluster)).disruptionsAllowed, 0);
  await finishDeletions(cluster);
  await rollOut(cluster);
  assert.equal((await status(cluster)).disruptionsAllowed, 1);
  await cluster.stop();
});

test('a plain number protects pods of nobody; an eviction that was not carried out is forgotten', async () => {
  const cluster = await startTestCluster(controllers);
  for (const name of ['a', 'b']) await cluster.client.create(pods, pod(name));
  await report(cluster, await cluster.list(pods));
  await budget(cluster, { minAvailable: 1 });
  assert.equal((await status(cluster)).disruptionsAllowed, 1);
  const current = await cluster.client.get(poddisruptionbudgets, { namespace: 'default', name: 'web' });
  const disruptedPods = { a: new Date(cluster.clock.now()).toISOString() };
  await cluster.client.update(
    poddisruptionbudgets,
    { ...current, status: { ...current.status, disruptedPods } },
    { subresource: 'status' },
  );
  await cluster.settle();
  assert.equal((await status(cluster)).disruptionsAllowed, 0);
  assert.deepEqual((await evict(cluster, 'b'))!.status.details!.causes, [
    { reason: 'DisruptionBudget', message: 'The disruption budget web needs 1 healthy pods and has 1 currently' },
  ]);
  await cluster.clock.advance(125_000);
  await cluster.settle();
  assert.equal((await status(cluster)).disruptionsAllowed, 1);
  const reasons = (await cluster.list(events)).map(({ reason }) => reason);
  assert.ok(reasons.includes('NotDeleted'), String(reasons));
  await cluster.stop();
});

test('a pod that is not ready goes when the budget holds without it, or always if the budget says so', async () => {
  const cluster = await startTestCluster(controllers);
  for (const name of ['a', 'b']) await cluster.client.create(pods, pod(name));
  await report(cluster, await cluster.list(pods), { ready: false });
  await budget(cluster, { minAvailable: 2 });
  assert.equal((await evict(cluster, 'a'))?.code, 429);
  await cluster.client.patch(
    poddisruptionbudgets,
    { namespace: 'default', name: 'web' },
    { type: 'merge', body: { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } } },
  );
  await cluster.settle();
  assert.equal(await evict(cluster, 'a'), undefined);
  await cluster.stop();
});

test('of two budgets for one pod neither can be honoured', async () => {
  const cluster = await startTestCluster(controllers);
  await cluster.client.create(pods, pod('a'));
  await report(cluster, await cluster.list(pods));
  await budget(cluster, { maxUnavailable: 1 });
  await cluster.client.create(poddisruptionbudgets, {
    metadata: { name: 'other', namespace: 'default' },
    spec: { selector, minAvailable: 0 },
  });
  await cluster.settle();
  const error = await evict(cluster, 'a');
  assert.equal(error?.code, 500);
  assert.equal(error.message, 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
  await cluster.stop();
});
