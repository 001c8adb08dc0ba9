// In which order pods are tried, and when a failed one is tried again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import { virtualClock } from '#lib/virtual-clock.ts';
import { podInfoOf } from './pod-info.ts';
import { createSchedulingQueue } from './queue.ts';

const pod = (name: string, options: { priority?: number; gated?: boolean; generation?: number } = {}): Pod => ({
  metadata: { name, namespace: 'default', uid: name, generation: options.generation ?? 1 },
  spec: { containers: [], priority: options.priority ?? 0, ...(options.gated && { schedulingGates: [{ name: 'example.com/wait' }] }) },
});

function setUp() {
  const clock = virtualClock();
  const queue = createSchedulingQueue({ clock, ready: () => undefined });
  return { clock, queue, put: (which: Pod) => queue.put(podInfoOf(which)), next: () => queue.next()?.info.pod.metadata.name };
}

test('higher priority goes first, equal priority in order of arrival', () => {
  const { put, next } = setUp();
  put(pod('a'));
  put(pod('b'));
  put(pod('urgent', { priority: 10 }));
  assert.deepEqual([next(), next(), next(), next()], ['urgent', 'a', 'b', undefined]);
});

test('a pod that was turned away waits for an event that its plugin cares for, and at least for its back-off', async () => {
  const { clock, queue, put, next } = setUp();
  put(pod('a'));
  queue.putUnschedulable(queue.next()!, new Set(['NodeResourcesFit']));
  queue.clusterChanged('volume-changed', (plugin, kind) => plugin === 'NodeResourcesFit' && kind === 'pod-removed');
  await clock.advance(5000);
  assert.equal(next(), undefined);
  queue.clusterChanged('pod-removed', (plugin, kind) => plugin === 'NodeResourcesFit' && kind === 'pod-removed');
  const again = queue.next()!;
  assert.equal(again.attempts, 2);
  queue.putUnschedulable(again, new Set(['NodeResourcesFit']));
  queue.clusterChanged('pod-removed', () => true);
  assert.equal(next(), undefined);
  await clock.advance(2000);
  assert.equal(next(), 'a');
});

test('a status update of a waiting pod does not wake it, a change of its spec does', async () => {
  const { clock, queue, put, next } = setUp();
  put(pod('a'));
  queue.putUnschedulable(queue.next()!, new Set(['NodeAffinity']));
  put(pod('a'));
  await clock.advance(2000);
  assert.equal(next(), undefined);
  put(pod('a', { generation: 2 }));
  assert.equal(next(), 'a');
});

test('a pod waits at its gates and is tried when they are gone', () => {
  const { queue, put, next } = setUp();
  put(pod('a', { gated: true }));
  assert.equal(queue.counts.gated, 1);
  assert.equal(next(), undefined);
  put(pod('a', { generation: 2 }));
  assert.equal(next(), 'a');
});

test('in a quiet cluster a pod is tried again after five minutes', async () => {
  const { clock, queue, put, next } = setUp();
  put(pod('a'));
  queue.putUnschedulable(queue.next()!, new Set(['NodeAffinity']));
  await clock.advance(4 * 60_000);
  assert.equal(next(), undefined);
  await clock.advance(2 * 60_000);
  assert.equal(next(), 'a');
});

test('a removed pod is not tried any more, wherever it waited', async () => {
  const { clock, queue, put, next } = setUp();
  for (const name of ['active', 'backoff', 'unschedulable']) put(pod(name));
  put(pod('gated', { gated: true }));
  const taken = [queue.next()!, queue.next()!, queue.next()!];
  queue.putBackoff(taken[1]!);
  queue.putUnschedulable(taken[2]!, new Set());
  put(pod('active'));
  for (const name of ['active', 'backoff', 'unschedulable', 'gated']) queue.remove(name);
  assert.deepEqual(queue.counts, { active: 0, backoff: 0, unschedulable: 0, gated: 0 });
  await clock.advance(10 * 60_000);
  assert.equal(next(), undefined);
});
