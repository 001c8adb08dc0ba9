// Managed fields without a server: the algebra of path sets, who owns what after updates and applies, and what an apply makes of an object.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '#lib/random.ts';
import { messageForKind } from '../../schema.ts';
import type { KubeObject } from '../object.ts';
import { applyConfig } from './apply.ts';
import { configErrors } from './check-config.ts';
import { compareObjects } from './compare.ts';
import { fieldsOf } from './config.ts';
import { applyConflict } from './conflict-error.ts';
import type { Entry } from './entries.ts';
import type { FieldSet } from './field-set.ts';
import { difference, intersection, parseFieldSet, pathsOf, pathText, union } from './field-set.ts';
import { ownedShapeOf, shapeOf } from './shape.ts';
import { entriesAfterUpdate } from './update.ts';

const pod = messageForKind('v1', 'Pod')!;
const service = messageForKind('v1', 'Service')!;
const deployment = messageForKind('apps/v1', 'Deployment')!;
const texts = (set: FieldSet | undefined) => pathsOf(set).map(pathText).sort();
const meta = { name: 'a', namespace: 'default' };

test('sets know union, difference and intersection, and answer themselves where nothing changes', () => {
  const a: FieldSet = { 'f:spec': { '.': {}, 'f:a': {}, 'f:b': { 'f:c': {} } } };
  const b: FieldSet = { 'f:spec': { 'f:b': { '.': {}, 'f:c': {} }, 'f:d': {} } };
  assert.deepEqual(texts(union(a, b)), ['.spec', '.spec.a', '.spec.b', '.spec.b.c', '.spec.d']);
  assert.deepEqual(texts(difference(a, b)), ['.spec', '.spec.a']);
  assert.deepEqual(texts(intersection(a, b)), ['.spec.b.c']);
  assert.equal(union(a, { 'f:spec': { 'f:a': {} } }), a);
  assert.equal(difference(a, { 'f:spec': { 'f:x': {} } }), a);
  assert.equal(difference(a, a), undefined);
});

test('sets of random paths obey the laws of sets', () => {
  const random = seededRandom(7);
  const names = ['a', 'b', 'c'];
  const randomSet = (): FieldSet | undefined => {
    let set: FieldSet | undefined;
    for (let count = 0; count < 6; count++) {
      let node: FieldSet = {};
      for (let depth = 0; depth <= Math.floor(random.next() * 3); depth++) node = { [`f:${names[Math.floor(random.next() * 3)]}`]: node };
      set = union(set, Object.keys(node).length > 0 ? node : undefined);
    }
    return set;
  };
  for (let round = 0; round < 500; round++) {
    const [a, b] = [randomSet(), randomSet()];
    const [inA, inB] = [new Set(texts(a)), new Set(texts(b))];
    assert.deepEqual(texts(union(a, b)), [...inA.union(inB)].sort());
    assert.deepEqual(texts(difference(a, b)), [...inA.difference(inB)].sort());
    assert.deepEqual(texts(intersection(a, b)), [...inA.intersection(inB)].sort());
    if (a !== undefined) assert.deepEqual(parseFieldSet(JSON.parse(JSON.stringify(a))), a);
  }
});

test('paths are written as upstream writes them', () => {
  const set: FieldSet = {
    'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } },
    'f:metadata': { 'f:finalizers': { 'v:"x/y"': {} } },
  };
  const expected = ['.metadata.finalizers[="x/y"]', '.spec.ports[port=80,protocol="TCP"]', '.spec.ports[port=80,protocol="TCP"].port'];
  assert.deepEqual(texts(set), expected);
});

const comparisons: { what: string; old: object; next: object; changed?: string[]; removed?: string[] }[] = [
  {
    what: 'a scalar',
    old: { spec: { nodeName: 'a', hostname: 'h' } },
    next: { spec: { nodeName: 'b' } },
    changed: ['.spec.nodeName'],
    removed: ['.spec.hostname'],
  },
  {
    what: 'a map by entry, with itself where it is new',
    old: { metadata: { annotations: { a: '1', b: '2' } } },
    next: { metadata: { annotations: { a: '2' }, labels: { x: 'y' } } },
    changed: ['.metadata.annotations.a', '.metadata.labels', '.metadata.labels.x'],
    removed: ['.metadata.annotations.b'],
  },
  {
    what: 'an atomic map as a whole',
    old: { spec: { nodeSelector: { a: '1', b: '2' } } },
    next: { spec: { nodeSelector: { a: '1' } } },
    changed: ['.spec.nodeSelector'],
  },
  {
    what: 'an atomic list as a whole',
    old: { status: { containerStatuses: [{ name: 'a' }] } },
    next: { status: { containerStatuses: [] } },
    changed: ['.status.containerStatuses'],
  },
  {
    what: 'a list by its keys, wherever the items stand',
    old: {
      spec: {
        containers: [
          { name: 'a', image: '1' },
          { name: 'b', image: '1' },
        ],
      },
    },
    next: { spec: { containers: [{ name: 'c' }, { name: 'a', image: '2' }] } },
    changed: ['.spec.containers[name="a"].image', '.spec.containers[name="c"]', '.spec.containers[name="c"].name'],
    removed: ['.spec.containers[name="b"]', '.spec.containers[name="b"].image', '.spec.containers[name="b"].name'],
  },
  {
    what: 'a set by its values',
    old: { metadata: { finalizers: ['a/a', 'b/b'] } },
    next: { metadata: { finalizers: ['b/b', 'c/c'] } },
    changed: ['.metadata.finalizers[="c/c"]'],
    removed: ['.metadata.finalizers[="a/a"]'],
  },
  {
    what: 'references as wholes, by their key',
    old: {},
    next: { metadata: { ownerReferences: [{ uid: 'u', name: 'n' }] } },
    changed: ['.metadata.ownerReferences', '.metadata.ownerReferences[uid="u"]'],
  },
  {
    what: 'nothing of the system',
    old: {},
    next: { apiVersion: 'v1', metadata: { name: 'x', uid: 'u', generation: 2, resourceVersion: '9' } },
  },
];

for (const { what, old, next, changed = [], removed = [] } of comparisons) {
  test(`a comparison names ${what}`, () => {
    const difference = compareObjects(ownedShapeOf(pod, []), old, next);
    assert.deepEqual(texts(difference?.changed), changed);
    assert.deepEqual(texts(difference?.removed), removed);
  });
}

test('keys that an item leaves out have their defaults', () => {
  const config = { spec: { ports: [{ port: 80, targetPort: 'http' }] } };
  assert.deepEqual(texts(fieldsOf(ownedShapeOf(service, []), config)), [
    '.spec.ports[port=80,protocol="TCP"]',
    '.spec.ports[port=80,protocol="TCP"].port',
    '.spec.ports[port=80,protocol="TCP"].targetPort',
  ]);
});

test('what a write cannot change gets no owner', () => {
  const next = { metadata: { labels: { a: 'b' } }, spec: { replicas: 1 }, status: { replicas: 1 } };
  assert.deepEqual(texts(compareObjects(ownedShapeOf(deployment, ['status']), {}, next)?.changed), [
    '.metadata.labels',
    '.metadata.labels.a',
    '.spec.replicas',
  ]);
  assert.deepEqual(texts(compareObjects(ownedShapeOf(deployment, ['spec', 'metadata.labels']), {}, next)?.changed), ['.status.replicas']);
});

test('an object without a schema is owned by entry, its lists as wholes', () => {
  const next = { metadata: { labels: { a: 'b' } }, spec: { deep: { list: [1, 2], text: 'x' } } };
  const expected = ['.metadata.labels.a', '.spec.deep', '.spec.deep.list', '.spec.deep.text'];
  assert.deepEqual(texts(fieldsOf(ownedShapeOf(undefined, []), next)), expected);
});

const errors: [string, object, string[]][] = [
  ['unknown fields', { spec: { foo: 1 } }, ['.spec.foo: field not declared in schema']],
  [
    'wrong scalars',
    { spec: { hostNetwork: 'yes', priority: 'x', hostname: 8080 } },
    [
      '.spec.hostNetwork: expected boolean, got &value.valueUnstructured{Value:"yes"}',
      '.spec.priority: expected numeric (int or float), got string',
      '.spec.hostname: expected string, got &value.valueUnstructured{Value:8080}',
    ],
  ],
  [
    'wrong containers',
    { spec: { containers: 'x' }, metadata: { labels: ['a'] } },
    ['.spec.containers: expected list, got &{x}', '.metadata.labels: expected map, got &{[a]}'],
  ],
  [
    'items twice',
    { spec: { containers: [{ name: 'a', env: [{ name: 'X' }, { name: 'X' }] }] } },
    ['.spec.containers[name="a"].env: duplicate entries for key [name="X"]'],
  ],
  [
    'items without a key',
    { spec: { containers: [{ image: 'x' }] } },
    [
      '.spec.containers: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn\'t have default values for any key fields)',
    ],
  ],
];

for (const [what, config, expected] of errors) {
  test(`a configuration is refused for ${what}`, () => assert.deepEqual(configErrors(pod, config), expected));
}

const shapes = {
  shape: shapeOf(pod),
  owned: ownedShapeOf(pod, ['status']),
  apiVersion: 'v1',
  subresource: '',
  time: '2026-01-01T00:00:00Z',
};

/** Applies to what is there, and answers it with its managers. */
function apply(live: KubeObject | undefined, manager: string, config: object, force = false): KubeObject {
  const result = applyConfig({ ...shapes, live, manager, force, config: { metadata: meta, ...config } as KubeObject });
  if ('conflicts' in result) throw applyConflict(result.conflicts);
  return { ...result.object, metadata: { ...result.object.metadata, managedFields: [...result.entries] } };
}

const ownersOf = (object: KubeObject, path: string) =>
  (object.metadata.managedFields as Entry[]).filter(({ fieldsV1 }) => texts(fieldsV1).includes(path)).map(({ manager }) => manager);
const spec = (object: KubeObject) => (object as unknown as { spec: Record<string, never> }).spec;

test('what a manager no longer applies goes, unless another owns it', () => {
  const env = (...names: string[]) => ({ spec: { containers: [{ name: 'c', env: names.map((name) => ({ name, value: '1' })) }] } });
  const first = apply(undefined, 'one', env('A', 'B', 'C'));
  const shared = apply(first, 'two', env('B'));
  assert.deepEqual(ownersOf(shared, '.spec.containers[name="c"].env[name="B"].value'), ['one', 'two']);
  const less = apply(shared, 'one', env('C'));
  assert.deepEqual(spec(less)['containers'], [
    {
      name: 'c',
      env: [
        { name: 'B', value: '1' },
        { name: 'C', value: '1' },
      ],
    },
  ]);
  assert.deepEqual(spec(apply(less, 'one', { spec: {} }))['containers'], [{ name: 'c', env: [{ name: 'B', value: '1' }] }]);
});

test('a value that another owns conflicts until it is forced, and then belongs to one alone', () => {
  const first = apply(undefined, 'one', { spec: { hostname: 'a' } });
  const claim = { spec: { hostname: 'b' } };
  assert.throws(() => apply(first, 'two', claim), { message: 'Apply failed with 1 conflict: conflict with "one": .spec.hostname' });
  const forced = apply(first, 'two', claim, true);
  assert.equal(spec(forced)['hostname'], 'b');
  assert.deepEqual(ownersOf(forced, '.spec.hostname'), ['two']);
});

test('an update takes what it changes from appliers, and what it removes from everybody', () => {
  const live = apply(undefined, 'one', { spec: { hostname: 'a', nodeName: 'n', subdomain: 's' } });
  const next = { ...live, spec: { hostname: 'b', nodeName: 'n' } } as KubeObject;
  const update = { shape: shapes.owned, old: live, next, manager: 'two', apiVersion: 'v1', subresource: '', time: '2026-01-02T00:00:00Z' };
  const entries = entriesAfterUpdate(update)!;
  assert.deepEqual(
    entries.map(({ manager, operation, fieldsV1 }) => [manager, operation, texts(fieldsV1)]),
    [
      ['one', 'Apply', ['.spec.nodeName']],
      ['two', 'Update', ['.spec.hostname']],
    ],
  );
  const same = { ...next, metadata: { ...next.metadata, managedFields: [...entries] } };
  assert.equal(entriesAfterUpdate({ ...update, old: same, next: { ...same, metadata: meta } }), same.metadata.managedFields);
});

test('more than ten managers of updates become fewer, the oldest first', () => {
  let object = { metadata: { ...meta, labels: { x: '0' } } } as KubeObject;
  let old: KubeObject | undefined;
  for (let number = 10; number < 25; number++) {
    object = { metadata: { ...object.metadata, labels: { ...object.metadata.labels, [`l${number}`]: 'x' } } };
    const time = `2026-01-01T00:00:${number}Z`;
    const entries = entriesAfterUpdate({
      shape: shapes.owned,
      old,
      next: object,
      manager: `m${number}`,
      apiVersion: 'v1',
      subresource: '',
      time,
    })!;
    old = object = { metadata: { ...object.metadata, managedFields: [...entries] } };
  }
  const names = object.metadata.managedFields!.map(({ manager }) => manager);
  assert.deepEqual(names, ['ancient-changes', ...Array.from({ length: 9 }, (_, number) => `m${16 + number}`)]);
  assert.equal(ownersOf(object, '.metadata.labels.l10')[0], 'ancient-changes');
});

test('random applies are idempotent, and force leaves every applied path with its applier', () => {
  const random = seededRandom(3);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)]!;
  /** At least one: decoding leaves empty lists out. */
  const some = <T>(items: readonly T[]): T[] => [items[0]!, ...items.slice(1).filter(() => random.next() < 0.5)];
  const randomConfig = () => ({
    metadata: {
      ...meta,
      labels: Object.fromEntries(some(['a', 'b', 'c']).map((name) => [name, pick(['1', '2'])])),
      finalizers: some(['a/a', 'b/b']),
    },
    spec: {
      hostname: pick(['h', 'i']),
      nodeSelector: { [pick(['x', 'y'])]: 'z' },
      containers: some(['c', 'd', 'e']).map((name) => ({
        name,
        image: pick(['1', '2']),
        args: some(['p', 'q']),
        env: some(['E', 'F']).map((env) => ({ name: env, value: pick(['1', '2']) })),
      })),
    },
  });
  for (let round = 0; round < 300; round++) {
    let live: KubeObject | undefined;
    for (let step = 0; step < 4; step++) {
      const [manager, config] = [pick(['one', 'two', 'three']), randomConfig()];
      live = apply(live, manager, config, true);
      assert.deepEqual(apply(live, manager, config), live);
      const own = (live.metadata.managedFields as Entry[]).find((entry) => entry.manager === manager);
      assert.deepEqual(texts(own?.fieldsV1), texts(fieldsOf(shapes.owned, config)));
    }
  }
});
