// Many insertions and removals in any order leave a run sorted, each key once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '#lib/random.ts';
import type { Entry } from './entry.ts';
import { createSortedRun } from './sorted-run.ts';

test('a run is in key order, whatever comes and goes', () => {
  const random = seededRandom(7);
  const run = createSortedRun();
  const expected = new Map<string, number>();
  for (let revision = 1; revision <= 12_000; revision++) {
    const key = `/registry/pods/default/pod-${Math.floor(random.next() * 3000)}`;
    if (random.next() < 0.3) {
      run.remove(key);
      expected.delete(key);
    } else {
      run.put({ key, revision } as Entry);
      expected.set(key, revision);
    }
  }
  const sorted = [...expected].sort(([one], [other]) => (one < other ? -1 : 1));
  assert.deepEqual(
    run.all().map(({ key, revision }) => [key, revision]),
    sorted,
  );

  for (const key of expected.keys()) run.remove(key);
  assert.equal(run.isEmpty, true);
  run.remove('/registry/pods/default/never');
  run.put({ key: '/registry/pods/default/again', revision: 1 } as Entry);
  assert.equal(run.all().length, 1);
});
