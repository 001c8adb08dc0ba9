// Turns on a virtual clock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { virtualClock } from '#lib/virtual-clock.ts';
import { createTurns } from './turns.ts';

function played({ fails = 0 } = {}) {
  const clock = virtualClock();
  const told: string[] = [];
  const gates: (() => void)[] = [];
  let left = fails;
  const turns = createTurns(
    clock,
    async () => {
      told.push('begins');
      await new Promise<void>((resolve) => gates.push(resolve));
      if (left-- > 0) throw new Error('not yet');
      told.push('ends');
    },
    (error) => told.push(String(error)),
  );
  const finish = async () => {
    gates.shift()!();
    await clock.advance(0);
  };
  return { clock, told, turns, finish };
}

test('kicked many times during a turn, there is one more', async () => {
  const { told, turns, finish } = played();
  for (let count = 0; count < 3; count++) turns.kick();
  await finish();
  assert.deepEqual(told, ['begins', 'ends', 'begins']);
  await finish();
  assert.deepEqual(told, ['begins', 'ends', 'begins', 'ends']);
});

test('a turn that fails is told and had again after a second', async () => {
  const { clock, told, turns, finish } = played({ fails: 1 });
  turns.kick();
  await finish();
  await clock.advance(999);
  assert.deepEqual(told, ['begins', 'Error: not yet']);
  await clock.advance(1);
  await finish();
  assert.deepEqual(told, ['begins', 'Error: not yet', 'begins', 'ends']);
});

test('the last time to wake at counts, and stopped is stopped', async () => {
  const { clock, told, turns, finish } = played();
  turns.wakeAt(clock.now() + 1000);
  turns.wakeAt(clock.now() + 5000);
  await clock.advance(4000);
  assert.deepEqual(told, []);
  await clock.advance(1000);
  assert.deepEqual(told, ['begins']);
  turns.kick();
  turns.stop();
  await finish();
  turns.kick();
  assert.deepEqual(told, ['begins', 'ends']);
});
