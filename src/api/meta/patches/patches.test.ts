// JSON patches and merge patches: the examples of their RFCs, and what an API server refuses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeze } from '../object.ts';
import type { JsonObject } from './json-object.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { parseJsonPatch, parseObjectPatch } from './patch-body.ts';
import { refusal } from '../refusal.fixture.ts';

test('a merge patch merges objects, removes on null and replaces the rest', () => {
  const examples: [JsonObject, JsonObject, JsonObject][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [original, patch, expected] of examples) assert.deepEqual(mergePatch(freeze(original), freeze(patch)), expected);
});

test('a merge patch leaves prototypes alone', () => {
  const result = mergePatch({}, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as JsonObject);
  assert.equal(({} as JsonObject)['polluted'], undefined);
  assert.deepEqual(Object.keys(result), ['__proto__', 'constructor']);
});

test('a JSON patch applies its operations in order, on a copy', () => {
  const original = freeze({ a: { b: [1, 2], 'c/d': 1, '~': 0 }, e: 1 });
  const operations = freeze([
    { op: 'test', path: '/e', value: 1 },
    { op: 'add', path: '/a/b/-', value: 3 },
    { op: 'add', path: '/a/b/0', value: { x: 1 } },
    { op: 'replace', path: '/a/b/0/x', value: 2 },
    { op: 'remove', path: '/a/c~1d' },
    { op: 'move', from: '/e', path: '/a/e' },
    { op: 'copy', from: '/a/b', path: '/f' },
    { op: 'replace', path: '/a/~0', value: [] },
  ]);
  assert.deepEqual(jsonPatch(original, operations), { a: { b: [{ x: 2 }, 1, 2, 3], '~': [], e: 1 }, f: [{ x: 2 }, 1, 2, 3] });
  assert.deepEqual(original, { a: { b: [1, 2], 'c/d': 1, '~': 0 }, e: 1 });
  assert.deepEqual(operations[2], { op: 'add', path: '/a/b/0', value: { x: 1 } });
});

test('a JSON patch that does not fit is a 422 and changes nothing', () => {
  for (const operation of [
    { op: 'test', path: '/a', value: 2 },
    { op: 'remove', path: '/b' },
    { op: 'replace', path: '/b', value: 1 },
    { op: 'add', path: '/b/c', value: 1 },
    { op: 'add', path: 'a', value: 1 },
    { op: 'frob', path: '/a' },
    { op: 'move', path: '/a' },
  ]) {
    const error = refusal(() => jsonPatch(freeze({ a: 1 }), [operation]));
    assert.equal(error.code, 422, JSON.stringify(operation));
    assert.equal(error.message, 'the server rejected our request due to an error in our request');
  }
});

test('a JSON patch has at most ten thousand operations, and copies cannot blow it up', () => {
  const error = refusal(() =>
    jsonPatch(
      {},
      Array.from({ length: 10_001 }, () => ({ op: 'add', path: '/a', value: 1 })),
    ),
  );
  assert.equal(error.code, 413);
  assert.equal(error.message, 'The allowed maximum operations in a JSON patch is 10000, got 10001');
  const doubling = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '', path: `/c${i}` }));
  assert.equal(refusal(() => jsonPatch({ a: 'x'.repeat(100) }, doubling)).code, 422);
});

test('bodies that are no patches are refused, duplicate keys are noted', () => {
  assert.equal(refusal(() => parseObjectPatch(Buffer.from('{"a"'))).message, 'error decoding patch: unexpected end of JSON input');
  assert.match(
    refusal(() => parseObjectPatch(Buffer.from('[]'))).message,
    /cannot unmarshal array into Go value of type map\[string\]interface/,
  );
  assert.equal(refusal(() => parseJsonPatch(Buffer.from('{}'))).code, 400);
  assert.deepEqual(parseObjectPatch(Buffer.from('{"spec":{"a":1,"a":[{"b":":"}]}}')), {
    patch: { spec: { a: [{ b: ':' }] } },
    duplicates: ['duplicate field "spec.a"'],
  });
});

test('a JSON patch that steps into a number, null or nothing is refused', () => {
  const refused = (...operations: unknown[]) =>
    assert.throws(() => jsonPatch({ a: 1.5, b: null }, operations), /rejected our request due to an error/);
  refused({ op: 'add', path: '/a/x', value: 1 });
  refused({ op: 'add', path: '/b/x', value: 1 });
  refused({ op: 'move', from: '/nope/x', path: '/c' });
  refused({ op: 'test', path: '/a', value: { x: 1 } });
  refused({ op: 'remove', path: '' }, { op: 'copy', from: '/a', path: '/c' });
  assert.throws(() => jsonPatch({}, [5]), /cannot unmarshal number into Go value of type jsonpatch.Operation/);
});
