// Protobuf bodies: what edge.test.ts does not reach through kubectl, and what is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import protobuf from 'protobufjs/minimal.js';
import { decodeObject } from './decode-message.ts';

type Part = [number: number, value: string | number | Buffer];

/** A message of varints, texts and messages. */
function message(...fields: Part[]): Buffer {
  const writer = protobuf.Writer.create();
  for (const [number, value] of fields) {
    if (typeof value === 'number') writer.uint32(number << 3).int64(value);
    else if (typeof value === 'string') writer.uint32((number << 3) | 2).string(value);
    else writer.uint32((number << 3) | 2).bytes(value);
  }
  return Buffer.from(writer.finish());
}

const object = (apiVersion: string, kind: string, raw: Buffer) =>
  Buffer.concat([Buffer.from('k8s\0'), message([1, message([1, apiVersion], [2, kind])], [2, raw])]);

test('quantities, times, maps, embedded messages and what Go writes as zero', () => {
  const volume = message([1, 'data'], [2, message([2, message([1, ''], [2, message([1, '1Gi'])])])]);
  const resources = message([1, message([1, 'cpu'], [2, message([1, '100m'])])]);
  const container = message([1, 'c'], [2, 'nginx'], [5, ''], [8, resources], [16, 0]);
  const meta = message(
    [1, 'web'],
    [3, ''],
    [8, message([1, 1_767_225_600], [2, 0])],
    [9, message()],
    [11, message([1, '__proto__'], [2, 'x'])],
  );
  const decoded = decodeObject(object('v1', 'Pod', message([1, meta], [2, message([1, volume], [2, container], [4, 0], [11, 0])])));
  const { metadata, spec } = decoded as { metadata: Record<string, unknown>; spec: Record<string, unknown> };
  assert.deepEqual(Object.entries(metadata.labels as object), [['__proto__', 'x']]);
  assert.deepEqual(
    [metadata.name, metadata.creationTimestamp, metadata.deletionTimestamp, 'namespace' in metadata],
    ['web', '2026-01-01T00:00:00Z', undefined, false],
  );
  assert.deepEqual(spec, {
    volumes: [{ name: 'data', emptyDir: { sizeLimit: '1Gi' } }],
    containers: [{ name: 'c', image: 'nginx', resources: { limits: { cpu: '100m' } } }],
    terminationGracePeriodSeconds: 0,
  });
});

test('lists within maps are messages of their own', () => {
  const spec = message([3, 'jane'], [5, message([1, 'scopes'], [2, message([1, 'a'], [1, 'b'])])]);
  const decoded = decodeObject(object('authorization.k8s.io/v1', 'SubjectAccessReview', message([2, spec])));
  assert.deepEqual(decoded.spec, { user: 'jane', extra: { scopes: ['a', 'b'] } });
});

test('what is no protobuf, is cut off, or is of an unknown kind is refused', () => {
  assert.throws(() => decodeObject(Buffer.from('{}')), /^ProtobufError: provided data does not appear to be a protobuf message/);
  assert.throws(() => decodeObject(object('v1', 'Nonsense', message())), /no kind "Nonsense" is registered for version "v1"/);
  const whole = object('v1', 'Pod', message([1, message([1, 'web'])]));
  assert.throws(() => decodeObject(whole.subarray(0, whole.length - 2)), { name: 'ProtobufError' });
});
