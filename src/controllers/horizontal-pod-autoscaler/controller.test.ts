// The autoscaler controller against a real API server: bounds are kept without any metrics, and what cannot be measured is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HorizontalPodAutoscaler, MetricSpec } from '#api/generated/autoscaling-v2.ts';
import { deployments, events, horizontalpodautoscalers } from '#api/generated/resources.ts';
import { deployment, startTestCluster } from '#root/test/support/controllers-cluster.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { horizontalPodAutoscalerController } from './controller.ts';

const ref = { namespace: 'default', name: 'web' };

async function autoscale(cluster: TestCluster, spec: Partial<HorizontalPodAutoscaler['spec']>): Promise<HorizontalPodAutoscaler> {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  await cluster.client.create(horizontalpodautoscalers, { metadata: ref, spec: { scaleTargetRef, maxReplicas: 4, ...spec } });
  await cluster.settle();
  return await cluster.client.get(horizontalpodautoscalers, ref);
}

const conditionsOf = ({ status }: HorizontalPodAutoscaler) =>
  Object.fromEntries((status?.conditions ?? []).map(({ type, status: value, reason }) => [type, `${value} ${reason}`]));

test('too many replicas and too few become as many as allowed', async () => {
  const cluster = await startTestCluster([horizontalPodAutoscalerController]);
  await cluster.client.create(deployments, deployment('web', { replicas: 9 }));
  const autoscaler = await autoscale(cluster, { minReplicas: 2 });
  assert.equal((await cluster.client.get(deployments, ref)).spec.replicas, 4);
  assert.equal(autoscaler.status!.desiredReplicas, 4);
  assert.deepEqual(conditionsOf(autoscaler), { AbleToScale: 'True SucceededRescale' });
  await cluster.client.patch(deployments, ref, { type: 'merge', body: { spec: { replicas: 1 } } });
  await cluster.clock.advance(16_000);
  await cluster.settle();
  assert.equal((await cluster.client.get(deployments, ref)).spec.replicas, 2);
  const texts = (await cluster.list(events)).map(({ message }) => message);
  assert.ok(texts.includes('New size: 2; reason: Current number of replicas below Spec.MinReplicas'), texts.join('\n'));
  await cluster.stop();
});

test('a target that is not there, and one that is switched off', async () => {
  const cluster = await startTestCluster([horizontalPodAutoscalerController]);
  const lost = await autoscale(cluster, {});
  assert.deepEqual(conditionsOf(lost), { AbleToScale: 'False FailedGetScale' });
  await cluster.client.create(deployments, deployment('web', { replicas: 0 }));
  await cluster.clock.advance(16_000);
  await cluster.settle();
  const off = await cluster.client.get(horizontalpodautoscalers, ref);
  assert.deepEqual(conditionsOf(off), { AbleToScale: 'True SucceededGetScale', ScalingActive: 'False ScalingDisabled' });
  assert.equal((await cluster.client.get(deployments, ref)).spec.replicas, 0);
  await cluster.stop();
});

test('metrics that nobody serves fail as on a cluster without an adapter, and change nothing', async () => {
  const kinds: [MetricSpec, string, RegExp][] = [
    [
      { type: 'Pods', pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } } },
      'FailedGetPodsMetric',
      /unable to get metric requests: unable to fetch metrics from custom metrics API/,
    ],
    [
      { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'Value', value: '10' } } },
      'FailedGetExternalMetric',
      /unable to get external metric default\/queue\/nil: unable to fetch metrics from external metrics API/,
    ],
    [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      'FailedGetResourceMetric',
      /failed to get cpu utilization: /,
    ],
  ];
  for (const [metric, reason, message] of kinds) {
    const cluster = await startTestCluster([horizontalPodAutoscalerController]);
    await cluster.client.create(deployments, deployment('web', { replicas: 3 }));
    const autoscaler = await autoscale(cluster, { metrics: [metric] });
    const active = autoscaler.status!.conditions!.find(({ type }) => type === 'ScalingActive')!;
    assert.deepEqual([active.status, active.reason], ['False', reason]);
    assert.match(active.message!, message);
    assert.equal((await cluster.client.get(deployments, ref)).spec.replicas, 3);
    await cluster.stop();
  }
});
