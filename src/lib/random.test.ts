// The seeded source: the same seed must replay.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, systemRandom } from './random.ts';

test('the same seed gives the same sequence, another seed another', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return [random.next(), random.uuid(), random.suffix(5), random.bytes(4).toString('hex')];
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test('uuids are version 4 and suffixes use only the alphabet of generated names', () => {
  for (const random of [systemRandom, seededRandom(1)]) {
    assert.match(random.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.match(random.suffix(20), /^[bcdfghjklmnpqrstvwxz2456789]{20}$/);
  }
});

test('numbers are spread over [0, 1)', () => {
  const random = seededRandom(3);
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 10_000; i++) buckets[Math.floor(random.next() * 10)]! += 1;
  for (const count of buckets) assert(count > 850 && count < 1150, `${buckets}`);
});
