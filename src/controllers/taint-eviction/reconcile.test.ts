// When a pod must leave a tainted node, by its tolerations alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, Taint, Toleration } from '#api/generated/core-v1.ts';
import { tolerates } from '#api/core/tolerations.ts';
import { evictionTime } from './reconcile.ts';

const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const node = (...taints: Taint[]): Node => ({ metadata: { name: 'n' }, spec: { taints } });
const pod = (tolerations: Toleration[], createdSeconds = 0): Pod => ({
  metadata: { name: 'p', creationTimestamp: at(createdSeconds) },
  spec: { containers: [], tolerations },
});
const taint = (key: string, seconds: number, effect = 'NoExecute'): Taint => ({ key, effect, timeAdded: at(seconds) });

test('without NoExecute taints a pod stays, whatever it tolerates', () => {
  assert.equal(evictionTime(pod([]), node()), undefined);
  assert.equal(evictionTime(pod([]), node(taint('a', 100, 'NoSchedule'))), undefined);
});

test('the shortest toleration of any one taint decides; one taint that is not tolerated is enough to go at once', () => {
  const tolerations: Toleration[] = [
    { key: 'a', operator: 'Exists', tolerationSeconds: 300 },
    { key: 'b', operator: 'Exists', tolerationSeconds: 30 },
    { key: 'b', operator: 'Exists' },
  ];
  assert.equal(evictionTime(pod(tolerations), node(taint('a', 100))), 400_000);
  assert.equal(evictionTime(pod(tolerations), node(taint('a', 100), taint('b', 150))), 180_000);
  assert.equal(evictionTime(pod(tolerations), node(taint('a', 100), taint('c', 150))), 0);
});

test('the time counts from the pod when the taint was there first', () => {
  const tolerations: Toleration[] = [{ operator: 'Exists', tolerationSeconds: 10 }];
  assert.equal(evictionTime(pod(tolerations, 500), node(taint('a', 100))), 510_000);
});

test('a toleration without seconds lasts for ever, a negative one not at all', () => {
  assert.equal(evictionTime(pod([{ operator: 'Exists' }]), node(taint('a', 100))), undefined);
  assert.equal(evictionTime(pod([{ operator: 'Exists', tolerationSeconds: -5 }]), node(taint('a', 100))), 100_000);
});

test('key, value, operator and effect all have to fit', () => {
  const gpu: Taint = { key: 'dedicated', value: 'gpu', effect: 'NoExecute' };
  assert.ok(tolerates({ key: 'dedicated', value: 'gpu' }, gpu));
  assert.ok(tolerates({ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }, gpu));
  assert.ok(!tolerates({ key: 'dedicated', value: 'cpu' }, gpu));
  assert.ok(!tolerates({ key: 'other', operator: 'Exists' }, gpu));
  assert.ok(!tolerates({ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }, gpu));
});
