// Every kind that is served, against its own sample: valid, defaults settle, one cell a column.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import columns from '#api/generated/printer-columns.json' with { type: 'json' };
import { copyOf } from '#api/meta/object.ts';
import { resourceRules } from './all.ts';
import { created, texts } from './rules.fixture.ts';
import { full, samples } from './samples.fixture.ts';

for (const rules of resourceRules) {
  const { plural, group, kind } = rules.resource;
  const sample = samples[plural]!;

  test(`${plural}: a sample is valid, and its defaults are idempotent`, () => {
    const object = created(rules, sample);
    assert.deepEqual(texts(rules.validate?.(object)), []);
    const again = copyOf(object);
    rules.setDefaults?.(again);
    assert.deepEqual(again, object);
  });

  test(`${plural}: an unchanged update is valid and changes nothing`, () => {
    const object = created(rules, sample);
    const again = copyOf(object);
    rules.setDefaults?.(again);
    rules.prepareForUpdate?.(again, object, { now: 0, user: { name: 'bob', groups: [] } });
    assert.deepEqual(again, object);
    assert.deepEqual(texts(rules.validateUpdate?.(again, object)), []);
    assert.deepEqual(texts(rules.status?.validateUpdate?.(again, object)), []);
  });

  test(`${plural}: whatever field is missing, it is refused or accepted, never a crash`, () => {
    // Decoding has checked the types, and made the messages that a kind cannot do without.
    const whole = created(rules, { ...full[plural], ...sample, ...(full[plural] as object) });
    for (const path of pathsOf(whole)) {
      if (path[0] === 'metadata' || path.join('.') === 'involvedObject' || path.join('.') === 'roleRef') continue;
      if (plural === 'certificatesigningrequests' && path.join('.') === 'spec') continue;
      const object = copyOf(whole);
      remove(object, path);
      assert.doesNotThrow(
        () => {
          const made = created(rules, object);
          rules.validate?.(made);
          rules.validateUpdate?.(made, whole);
          rules.status?.validateUpdate?.(made, whole);
          rules.warnings?.(made);
          rules.selectableFields?.(made);
          for (const column of rules.columns ?? []) column(made, { now: 0 });
        },
        `without ${path.join('.')}`,
      );
    }
  });

  test(`${plural}: there is a cell for each generated column, of its type`, () => {
    const generated = columns.find((entry) => entry.kind === kind && (entry.group === group || (kind === 'Event' && group === '')));
    assert.ok(generated, `${group}/${kind} has generated columns`);
    const object = created(rules, sample);
    const cells = (rules.columns ?? []).map((column) => column(object, { now: Date.now() }));
    assert.equal(cells.length, generated.columns.length);
    for (const [position, { name, type }] of generated.columns.entries()) {
      // Upstream declares some counts as strings and still sends numbers, and writes out CronJob's one boolean: True or False.
      const expected =
        type === 'integer' ? ['number'] : type === 'boolean' ? ['boolean', 'string'] : ['string', 'number', 'boolean', 'object'];
      assert.ok(expected.includes(typeof cells[position]), `${name} is ${typeof cells[position]}, not ${type}`);
    }
  });
}

function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => [[name], ...pathsOf(item).map((path) => [name, ...path])]);
}

function remove(object: object, path: string[]): void {
  let place = object as Record<string, unknown>;
  for (const name of path.slice(0, -1)) place = place[name] as Record<string, unknown>;
  // What vanishes from a list leaves an empty message behind: lists have no holes.
  const last = path.at(-1)!;
  if (Array.isArray(place)) place[Number(last)] = typeof place[Number(last)] === 'object' ? {} : '';
  else delete place[last];
}
