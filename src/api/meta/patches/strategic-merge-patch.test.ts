// Strategic merge patches against the built-in kinds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageForKind } from '../../schema.ts';
import { freeze } from '../object.ts';
import type { JsonObject } from './json-object.ts';
import { strategicMergePatch } from './strategic-merge-patch.ts';
import { refusal } from '../refusal.fixture.ts';

const pod = messageForKind('v1', 'Pod')!;
const deployment = messageForKind('apps/v1', 'Deployment')!;
const service = messageForKind('v1', 'Service')!;

function patchSpec(original: JsonObject, patch: JsonObject, message = pod): unknown {
  return strategicMergePatch(freeze({ spec: original }), freeze({ spec: patch }), message)['spec'];
}

const a = { name: 'a', image: 'a:1' };
const b = { name: 'b', image: 'b:1' };
const c = { name: 'c', image: 'c:1' };

test('a container is found by its name and merged; a new one stands first, as upstream places it', () => {
  assert.deepEqual(patchSpec({ containers: [a, b] }, { containers: [{ name: 'b', image: 'b:2' }] }), {
    containers: [a, { name: 'b', image: 'b:2' }],
  });
  assert.deepEqual(patchSpec({ containers: [a, b] }, { containers: [c] }), { containers: [c, a, b] });
});

test('an entry is deleted by its key, and deleting what is not there changes nothing', () => {
  assert.deepEqual(patchSpec({ containers: [a, b] }, { containers: [{ $patch: 'delete', name: 'a' }] }), { containers: [b] });
  assert.deepEqual(patchSpec({ containers: [a] }, { containers: [{ $patch: 'delete', name: 'x' }] }), { containers: [a] });
  assert.deepEqual(patchSpec({}, { containers: [{ $patch: 'delete', name: 'x' }, c] }), { containers: [c] });
});

test('$patch: replace takes the rest of the patch as the whole list or object', () => {
  assert.deepEqual(patchSpec({ containers: [a, b] }, { containers: [{ $patch: 'replace' }, c] }), { containers: [c] });
  assert.deepEqual(patchSpec({ nodeSelector: { x: '1' }, hostname: 'h' }, { nodeSelector: { $patch: 'replace', y: '2' } }), {
    nodeSelector: { y: '2' },
    hostname: 'h',
  });
  assert.deepEqual(patchSpec({ securityContext: { runAsUser: 1 } }, { securityContext: { $patch: 'delete' } }), { securityContext: {} });
});

test('$retainKeys keeps only the fields it names, so that one volume source gives way to another', () => {
  assert.deepEqual(
    patchSpec(
      { volumes: [{ name: 'v', emptyDir: {} }] },
      { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] },
    ),
    { volumes: [{ name: 'v', hostPath: { path: '/x' } }] },
  );
  assert.deepEqual(
    patchSpec(
      { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
      { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
      deployment,
    ),
    { strategy: { type: 'Recreate' } },
  );
  assert.equal(refusal(() => patchSpec({}, { $retainKeys: ['hostname'], nodeName: 'n' })).code, 422);
});

test('$setElementOrder orders the named items and leaves the server’s own where they stood', () => {
  assert.deepEqual(patchSpec({ containers: [a, b, c] }, { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }] }), {
    containers: [b, c, a],
  });
  assert.deepEqual(
    patchSpec({ containers: [a, b] }, { '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }, { name: 'c' }], containers: [c] }),
    { containers: [a, b, c] },
  );
  assert.equal(
    refusal(() => patchSpec({ containers: [a] }, { '$setElementOrder/containers': [{ name: 'a' }], containers: [c] })).code,
    400,
  );
  assert.equal(
    refusal(() => patchSpec({}, { '$setElementOrder/containers': 'a' })).message,
    'invalid patch format of setElementOrder list',
  );
});

test('lists of plain values merge as sets where the schema says so, and are replaced elsewhere', () => {
  const merged = strategicMergePatch({ metadata: { finalizers: ['a/1', 'b/1'] } }, { metadata: { finalizers: ['b/1', 'c/1'] } }, pod);
  assert.deepEqual((merged['metadata'] as JsonObject)['finalizers'], ['a/1', 'b/1', 'c/1']);
  const removed = strategicMergePatch(
    { metadata: { finalizers: ['a/1', 'b/1'] } },
    { metadata: { '$deleteFromPrimitiveList/finalizers': ['a/1'] } },
    pod,
  );
  assert.deepEqual((removed['metadata'] as JsonObject)['finalizers'], ['b/1']);
  assert.deepEqual(patchSpec({ containers: [{ name: 'a', args: ['1', '2'] }] }, { containers: [{ name: 'a', args: ['3'] }] }), {
    containers: [{ name: 'a', args: ['3'] }],
  });
  assert.deepEqual(patchSpec({ tolerations: [{ key: 'a' }] }, { tolerations: [{ key: 'b' }] }), { tolerations: [{ key: 'b' }] });
});

test('ports of a service merge by number, those of a container too', () => {
  assert.deepEqual(
    patchSpec(
      {
        ports: [
          { port: 80, name: 'http' },
          { port: 443, name: 'https' },
        ],
      },
      { ports: [{ port: 443, targetPort: 8443 }] },
      service,
    ),
    {
      ports: [
        { port: 80, name: 'http' },
        { port: 443, name: 'https', targetPort: 8443 },
      ],
    },
  );
});

test('null removes a field and means nothing in what is new', () => {
  assert.deepEqual(
    patchSpec({ hostname: 'h', nodeName: 'n' }, { hostname: null, priority: null, securityContext: { runAsUser: null, fsGroup: 1 } }),
    {
      nodeName: 'n',
      securityContext: { fsGroup: 1 },
    },
  );
});

test('an entry without its merge key is an error, a patch of another type replaces', () => {
  const error = refusal(() => patchSpec({ containers: [a] }, { containers: [{ image: 'x' }] }));
  assert.equal(error.message, 'map: map[image:x] does not contain declared merge key: name');
  assert.deepEqual(patchSpec({ nodeSelector: { a: '1' } }, { nodeSelector: 'x' }), { nodeSelector: 'x' });
});

test('neither the original nor the patch can be changed through the result', () => {
  const patch = { spec: { containers: [{ name: 'a', env: [{ name: 'E', value: '1' }] }] } };
  const original = freeze({ spec: { containers: [a] } });
  const result = strategicMergePatch(original, patch, pod) as unknown as typeof patch;
  result.spec.containers[0]!.env[0]!.value = '2';
  assert.equal(patch.spec.containers[0]!.env[0]!.value, '1');
  assert.deepEqual(original, { spec: { containers: [a] } });
});
