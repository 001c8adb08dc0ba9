// The arithmetic of autoscaling: what metrics propose, and what behaviour allows of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import type { HorizontalPodAutoscaler } from '#api/generated/autoscaling-v2.ts';
import { emptyHistory, normalize } from './rates.ts';
import type { ResourceQuestion } from './replicas.ts';
import { replicasFor } from './replicas.ts';

const nowMs = Date.parse('2026-01-02T12:00:00Z');

function podOf(name: string, { ready = true, age = 3600, phase = 'Running' } = {}): Pod {
  const startTime = new Date(nowMs - age * 1000).toISOString();
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: startTime }];
  return {
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'web', resources: { requests: { cpu: '100m' } } }] },
    status: { phase, startTime, conditions },
  };
}

function ask(usage: Record<string, number>, pods: Pod[], more: Partial<ResourceQuestion> = {}): ReturnType<typeof replicasFor> {
  const metrics = new Map(Object.entries(usage).map(([name, milliValue]) => [name, { milliValue, timestampMs: nowMs, windowMs: 1000 }]));
  const tolerances = { up: 0.1, down: 0.1 };
  return replicasFor({ resource: 'cpu', targetUtilization: 50, pods, metrics, currentReplicas: pods.length, tolerances, nowMs, ...more });
}

test('usage over the target asks for more in proportion, and a small difference for nothing', () => {
  const pods = [podOf('a'), podOf('b')];
  assert.deepEqual(ask({ a: 100, b: 100 }, pods), { replicas: 4, utilization: 100, averageMilliValue: 100 });
  assert.equal(ask({ a: 54, b: 55 }, pods).replicas, 2);
  assert.equal(ask({ a: 10, b: 10 }, pods).replicas, 1);
  const byValue = { targetMilliValue: 40 };
  assert.equal(ask({ a: 100, b: 60 }, pods, { ...byValue, targetUtilization: undefined as never }).replicas, 4);
});

test('pods without metrics and pods that start hold a change back', () => {
  const pods = [podOf('a'), podOf('b'), podOf('c')];
  // Alone, a and b would ask for four; c is taken to use nothing.
  assert.equal(ask({ a: 90, b: 90 }, pods).replicas, 4);
  assert.equal(ask({ a: 10, b: 10 }, pods).replicas, 3);
  const starting = [podOf('a'), podOf('b', { ready: false, age: 10 })];
  assert.equal(ask({ a: 100, b: 100 }, starting).replicas, 2);
});

test('nothing measured, or nothing requested, is an error in words', () => {
  assert.throws(() => ask({}, [podOf('a')]), { message: 'did not receive metrics for targeted pods (pods might be unready)' });
  const silent = { ...podOf('a'), spec: { containers: [{ name: 'web' }] } } as Pod;
  assert.throws(() => ask({ a: 1 }, [silent]), { message: 'missing request for cpu in container web of Pod a' });
});

const autoscaler = (spec: object): Pick<HorizontalPodAutoscaler, 'spec'> => ({
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas: 1, maxReplicas: 100, ...spec },
});

test('without a wish of its own an autoscaler at most doubles, and shrinks to the most of the last five minutes', () => {
  const history = emptyHistory();
  assert.equal(normalize(autoscaler({}), history, { current: 10, desired: 50, nowMs }).limited.reason, 'ScaleUpLimit');
  assert.equal(normalize(autoscaler({}), emptyHistory(), { current: 10, desired: 50, nowMs }).replicas, 20);
  assert.equal(normalize(autoscaler({}), emptyHistory(), { current: 1, desired: 50, nowMs }).replicas, 5);
  const past = { ...emptyHistory(), recommendations: [{ atMs: nowMs - 200_000, replicas: 8 }] };
  const verdict = normalize(autoscaler({}), past, { current: 10, desired: 2, nowMs });
  assert.deepEqual([verdict.replicas, verdict.stabilized.reason], [8, 'ScaleDownStabilized']);
  assert.equal(normalize(autoscaler({}), past, { current: 10, desired: 2, nowMs: nowMs + 301_000 }).replicas, 2);
  assert.equal(
    normalize(autoscaler({ maxReplicas: 3 }), emptyHistory(), { current: 2, desired: 9, nowMs }).limited.reason,
    'TooManyReplicas',
  );
});

test('policies count what has changed within their period', () => {
  const scaleDown = {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Min',
    policies: [
      { type: 'Pods', value: 2, periodSeconds: 60 },
      { type: 'Percent', value: 50, periodSeconds: 60 },
    ],
  };
  const behavior = { behavior: { scaleDown } };
  assert.equal(normalize(autoscaler(behavior), emptyHistory(), { current: 10, desired: 1, nowMs }).replicas, 8);
  const justShrunk = { ...emptyHistory(), removed: [{ atMs: nowMs - 30_000, replicas: 1 }] };
  const verdict = normalize(autoscaler(behavior), justShrunk, { current: 9, desired: 1, nowMs });
  assert.deepEqual([verdict.replicas, verdict.limited.reason], [8, 'ScaleDownLimit']);
  const disabled = { behavior: { scaleUp: { selectPolicy: 'Disabled', policies: [{ type: 'Pods', value: 1, periodSeconds: 1 }] } } };
  assert.equal(normalize(autoscaler(disabled), emptyHistory(), { current: 3, desired: 9, nowMs }).replicas, 3);
});
