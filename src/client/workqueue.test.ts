// The work queue: one worker a key, and patience with keys that fail.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { virtualClock } from '#lib/virtual-clock.ts';
import { createWorkQueue } from './workqueue.ts';

test('a key that is added while it waits is handed out once', async () => {
  const queue = createWorkQueue({ clock: virtualClock() });
  queue.add('a');
  queue.add('b');
  queue.add('a');
  assert.equal(queue.depth, 2);
  assert.deepEqual([await queue.next(), await queue.next()], ['a', 'b']);
  assert.equal(queue.depth, 0);
});

test('a key that is added while it is worked on comes again only after that work is done', async () => {
  const queue = createWorkQueue({ clock: virtualClock() });
  queue.add('a');
  assert.equal(await queue.next(), 'a');
  queue.add('a');
  assert.equal(queue.depth, 0);
  queue.done('a');
  assert.equal(queue.depth, 1);
});

test('a failing key waits twice as long each time, and starts over after a success', async () => {
  const clock = virtualClock();
  const queue = createWorkQueue({ clock });
  const delays: number[] = [];
  for (let i = 0; i < 4; i++) {
    const startMs = clock.now();
    queue.addRateLimited('a');
    const next = queue.next();
    await clock.advance(100);
    assert.equal(await next, 'a');
    queue.done('a');
    delays.push(queue.failures('a'));
    assert.ok(clock.now() - startMs >= 5 * 2 ** i);
  }
  assert.deepEqual(delays, [1, 2, 3, 4]);
  queue.forget('a');
  queue.addRateLimited('a');
  await clock.advance(5);
  assert.equal(queue.depth, 1);
});

test('of two delays of one key the earlier counts, and the key comes once', async () => {
  const clock = virtualClock();
  const queue = createWorkQueue({ clock });
  queue.addAfter('a', 1000);
  queue.addAfter('a', 100);
  queue.addAfter('a', 500);
  await clock.advance(100);
  assert.equal(queue.depth, 1);
  assert.equal(await queue.next(), 'a');
  queue.done('a');
  await clock.advance(2000);
  assert.equal(queue.depth, 0);
});

test('many failing keys share one overall rate', async () => {
  const clock = virtualClock();
  const queue = createWorkQueue({ clock, retriesPerSecond: 10, retryBurst: 10 });
  for (let i = 0; i < 30; i++) queue.addRateLimited(`key-${i}`);
  await clock.advance(10);
  assert.equal(queue.depth, 10);
  await clock.advance(1000);
  assert.equal(queue.depth, 20);
});

test('shutting down wakes every waiter and drops what was to come', async () => {
  const clock = virtualClock();
  const queue = createWorkQueue({ clock });
  queue.addAfter('later', 10);
  const waiting = [queue.next(), queue.next()];
  queue.shutdown();
  assert.deepEqual(await Promise.all(waiting), [undefined, undefined]);
  queue.add('a');
  await clock.advance(100);
  assert.equal(queue.depth, 0);
  assert.equal(await queue.next(), undefined);
});
