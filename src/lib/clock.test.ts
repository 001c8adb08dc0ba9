// The virtual clock: what everything that runs on moved time relies on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toMicroTime, toTime } from './clock.ts';
import { virtualClock } from './virtual-clock.ts';

test('timers fire in the order they are due, and at one moment in the order they were set', async () => {
  const clock = virtualClock(0);
  const fired: string[] = [];
  clock.after(20, () => fired.push('b'));
  clock.after(10, () => fired.push('a'));
  clock.after(20, () => fired.push('c'));
  clock.every(15, () => fired.push('tick'));
  await clock.advance(30);
  assert.deepEqual(fired, ['a', 'tick', 'b', 'c', 'tick']);
  assert.equal(clock.now(), 30);
});

test('a timer that a timer sets fires in the same advance when it is due', async () => {
  const clock = virtualClock(0);
  const fired: number[] = [];
  clock.after(5, () => clock.after(5, () => fired.push(clock.now())));
  await clock.advance(100);
  assert.deepEqual(fired, [10]);
});

test('a sleeper wakes when its time has come, and a cancelled timer never fires', async () => {
  const clock = virtualClock(0);
  let woke = 0;
  const sleeper = clock.sleep(1000).then(() => (woke = clock.now()));
  clock.after(10, () => assert.fail('cancelled')).cancel();
  await clock.advance(999);
  assert.equal(woke, 0);
  await clock.advance(1);
  await sleeper;
  assert.equal(woke, 1000);
});

test('an aborted sleep rejects with the reason and leaves no timer', async () => {
  const clock = virtualClock(0);
  const abort = new AbortController();
  const sleeper = clock.sleep(1000, abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(sleeper, /enough/);
  assert.equal(clock.pending, 0);
});

test('times are written as Kubernetes writes them', () => {
  const ms = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  assert.equal(toTime(ms), '2026-01-02T03:04:05Z');
  assert.equal(toMicroTime(ms), '2026-01-02T03:04:05.678000Z');
});
