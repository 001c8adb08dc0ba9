// Every benchmark in its quick mode, so that none rots. Asserts no figure: a timed test would only ever fail on a busy machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepAliveDuring } from '#lib/keep-alive.ts';
import { measures } from './all.ts';
import { figure, percentile, summarize, table } from './summary.ts';

for (const measure of measures) {
  test(`${measure.name} measures something and cleans up`, async (t) => {
    const readings = await keepAliveDuring(measure.measure({ quick: true }));
    if ('skipped' in readings) return t.skip(readings.skipped);
    assert.ok(readings.length > 0);
    for (const { name, value } of readings) assert.ok(Number.isFinite(value), `${name}: ${value}`);
  });
}

test('names of measures are unique', () => {
  const names = measures.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
});

test('runs become one row with median, extremes and the distance to the budget', () => {
  const run = (value: number) => [{ name: 'up', value, unit: 's', budget: { bound: 'at most' as const, value: 1 } }];
  const [row] = summarize('up', [run(3), run(1), run(2)]);
  assert.deepEqual([row!.min, row!.median, row!.max, row!.margin], [1, 2, 3, 0.5]);
  assert.match(table([row!]), /up +up +2 +s +1 – 3 +≤ 1 +missed 2\.0 ×/);
});

test('percentiles are values that occurred', () => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1);
  assert.deepEqual([percentile(values, 50), percentile(values, 99), percentile([7], 99)], [50, 99, 7]);
  assert.deepEqual([figure(1234.5), figure(0.12345), figure(12.345)], ['1,235', '0.123', '12.3']);
});
