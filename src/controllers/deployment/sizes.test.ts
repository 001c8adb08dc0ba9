// The arithmetic of rollouts: limits, steps and proportions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, ReplicaSet } from '#api/generated/apps-v1.ts';
import type { Scaling } from './sizes.ts';
import { newReplicaSetSize, rollingLimits, shareInProportion, shrinkOld } from './sizes.ts';

function deployment(replicas: number, maxSurge: number | string, maxUnavailable: number | string): Deployment {
  return {
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: {},
      template: { spec: { containers: [] } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
    },
  };
}
function replicaSet(name: string, replicas: number, availableReplicas = replicas, maxBefore?: number): ReplicaSet {
  const annotations: Record<string, string> = maxBefore === undefined ? {} : { 'deployment.kubernetes.io/max-replicas': String(maxBefore) };
  return {
    metadata: { name, creationTimestamp: `2026-01-0${name.length}T00:00:00Z`, annotations },
    spec: { replicas, selector: {} },
    status: { replicas, availableReplicas },
  };
}
const sizesOf = (scalings: Scaling[]) =>
  Object.fromEntries(scalings.map((scaling) => [scaling.replicaSet.metadata.name, scaling.replicas]));

test('surge rounds up, unavailable rounds down, and one of them is never nothing', () => {
  assert.deepEqual(rollingLimits(deployment(10, '25%', '25%')), { maxSurge: 3, maxUnavailable: 2 });
  assert.deepEqual(rollingLimits(deployment(1, '25%', '25%')), { maxSurge: 1, maxUnavailable: 0 });
  assert.deepEqual(rollingLimits(deployment(3, 0, '10%')), { maxSurge: 0, maxUnavailable: 1 });
  assert.deepEqual(rollingLimits(deployment(2, 0, 5)), { maxSurge: 0, maxUnavailable: 2 });
});

test('the new replica set grows into the room that the surge leaves, and no further than asked', () => {
  const wanted = deployment(10, 3, 2);
  assert.equal(newReplicaSetSize(wanted, [replicaSet('o', 10)], 0), 3);
  assert.equal(newReplicaSetSize(wanted, [replicaSet('o', 8), replicaSet('nn', 5)], 5), 5);
  assert.equal(newReplicaSetSize(wanted, [replicaSet('o', 1), replicaSet('nn', 9)], 9), 10);
});

test('old pods that never became available go first, and the rest only above the minimum', () => {
  const wanted = deployment(10, 3, 2);
  assert.deepEqual(sizesOf(shrinkOld(wanted, [replicaSet('o', 10)], replicaSet('nn', 3, 0))), { o: 8 });
  assert.deepEqual(sizesOf(shrinkOld(wanted, [replicaSet('o', 8, 8)], replicaSet('nn', 5, 0))), {});
  assert.deepEqual(sizesOf(shrinkOld(wanted, [replicaSet('o', 8, 3)], replicaSet('nn', 5, 5))), { o: 3 });
  assert.deepEqual(sizesOf(shrinkOld(wanted, [replicaSet('o', 8, 8)], replicaSet('nn', 5, 5))), { o: 3 });
});

test('a size changed in the middle of a rollout is shared in proportion, rounding to the largest', () => {
  assert.deepEqual(sizesOf(shareInProportion(deployment(15, 3, 2), [replicaSet('o', 8, 8, 13), replicaSet('nn', 5, 0, 13)])), {
    o: 11,
    nn: 7,
  });
  assert.deepEqual(sizesOf(shareInProportion(deployment(5, 3, 2), [replicaSet('o', 8, 8, 13), replicaSet('nn', 5, 0, 13)])), {
    o: 5,
    nn: 3,
  });
  assert.deepEqual(sizesOf(shareInProportion(deployment(0, 3, 2), [replicaSet('o', 8, 8, 13), replicaSet('nn', 5, 0, 13)])), {
    o: 0,
    nn: 0,
  });
});
