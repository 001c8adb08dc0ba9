// Protobuf bodies: held against bytes that Kubernetes' own Go code wrote (k8s.io/api v0.36.6), and against bytes that are no message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../meta/decode.ts';
import { conform } from '../meta/conform.ts';
import { ApiError } from '../meta/errors.ts';
import { messageOf } from '../schema.ts';
import fixtures from './upstream.fixture.json' with { type: 'json' };
import { decodeMessage } from './decode.ts';
import { encodeMessage, encodeObject, inEnvelope, listInEnvelope, watchFrame } from './encode.ts';
import { protobufType, writing } from './wire.ts';

interface Fixture {
  json: { apiVersion: string; kind: string; metadata?: Record<string, unknown>; items?: object[] };
  protobuf: string;
}

/** Not stored objects by themselves: lists are only ever written. */
const all = Object.entries(fixtures as unknown as Record<string, Fixture>);
const bodies = all.filter(([, { json }]) => json.items === undefined);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

for (const [name, { json, protobuf }] of bodies) {
  test(`${name}: upstream's bytes are read as the JSON that upstream writes`, () => {
    const body = Buffer.from(protobuf, 'base64');
    const { object, warnings } = decode(body, protobufType, { apiVersion: json.apiVersion, kind: json.kind });
    const fromJson = decode(Buffer.from(JSON.stringify(json)), 'application/json', { apiVersion: json.apiVersion, kind: json.kind });
    assert.deepEqual(plain(object), plain(fromJson.object));
    assert.deepEqual(warnings, []);
  });
}

for (const [name, { json, protobuf }] of all) {
  test(`${name}: the object is written in upstream's bytes`, () => {
    assert.equal(inEnvelope(json.apiVersion, json.kind, encodeObject(json)).toString('base64'), protobuf);
  });
}

test('a list is put together from items that were written before', () => {
  const { json, protobuf } = fixtures.podlist;
  const items = json.items.map((item) => encodeObject({ apiVersion: 'v1', kind: 'Pod', ...item }));
  const parts = listInEnvelope({ apiVersion: 'v1', kind: 'PodList', metadata: json.metadata }, items);
  assert.equal(Buffer.concat(parts).toString('base64'), protobuf);
});

test('an event of a watch is a frame of its length and an event without envelope around an object in one', () => {
  const pod = Buffer.from(fixtures['pod-created'].protobuf, 'base64');
  const frame = watchFrame('ADDED', pod);
  assert.equal(frame.readUInt32BE(0), frame.length - 4);
  // Written by upstream's raw serializer, as its watch handler does.
  const head = Buffer.from('0a0541444445441286010a8301', 'hex');
  assert.equal(frame.subarray(4).toString('hex'), Buffer.concat([head, pod]).toString('hex'));
});

const pod = { apiVersion: 'v1', kind: 'Pod' };
const podBody = (message: string): Buffer => inEnvelope('v1', 'Pod', Buffer.from(message, 'hex'));

function refused(body: Buffer, expected = pod): string {
  try {
    decode(body, protobufType, expected);
  } catch (error) {
    assert(error instanceof ApiError, String(error));
    assert.equal(error.code, 400);
    return error.message;
  }
  assert.fail('was accepted');
}

test('bodies that are no envelope are refused in the words of the serializer', () => {
  const unrecognized = 'the object provided is unrecognized (must be of type Pod): ';
  assert.equal(refused(Buffer.alloc(0)), `${unrecognized}empty data (<empty>)`);
  assert.equal(refused(Buffer.from('k8s\0')), `${unrecognized}empty body (6b387300)`);
  assert.equal(
    refused(Buffer.from('{"kind":"Pod"}')),
    `${unrecognized}provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({"kind":"Pod"})`,
  );
  assert.equal(refused(Buffer.from('k8s\0\x0a\x7f')), `${unrecognized}unexpected EOF (6b3873000a7f)`);
});

test('messages that break off, lie about their length or their types are refused with the kind', () => {
  const refusal = 'Pod in version "v1" cannot be handled as a Pod: ';
  assert.equal(refused(podBody('0a')), `${refusal}unexpected EOF`);
  assert.equal(refused(podBody('0a05')), `${refusal}unexpected EOF`);
  // The name reaches beyond the metadata it stands in.
  assert.equal(refused(podBody('0a020a056161616161')), `${refusal}unexpected EOF`);
  assert.equal(refused(podBody('0801')), `${refusal}proto: wrong wireType = 0 for field ObjectMeta`);
  assert.equal(refused(podBody('0001')), `${refusal}proto: Pod: illegal tag 0 (wire type 0)`);
  assert.equal(refused(podBody('a71f01')), `${refusal}proto: illegal wireType 7`);
  assert.equal(refused(podBody('0c')), `${refusal}proto: Pod: wiretype end group for non-group`);
  assert.match(refused(podBody('fb3f'.repeat(100_000))), /^Pod in version "v1" cannot be handled as a Pod: /);
});

test('no way of cutting off or bending a pod gets anything but a pod or a clear refusal', () => {
  const whole = Buffer.from(fixtures.pod.protobuf, 'base64');
  const attempt = (body: Buffer) => {
    try {
      decode(body, protobufType, pod);
    } catch (error) {
      assert(error instanceof ApiError && error.code === 400, `${String(error)} for ${body.toString('hex')}`);
    }
  };
  for (let length = 0; length < whole.length; length++) attempt(whole.subarray(0, length));
  for (let at = 0; at < whole.length; at++) {
    const bent = Buffer.from(whole);
    bent[at] = (bent[at]! + 1 + (at % 254)) & 255;
    attempt(bent);
  }
});

test('fields of later versions are skipped', () => {
  // Numbers 500 to 503 as varint, fixed64, bytes and group, then the metadata.
  const unknown = 'a01f01' + 'a91f0102030405060708' + 'b21f020000' + 'bb1f0801bc1f';
  const { object } = decode(podBody(`${unknown}0a030a0161`), protobufType, pod);
  assert.equal(object.metadata.name, 'a');
});

test('schemas that are nested without end are refused', () => {
  let schema: Buffer = Buffer.alloc(0);
  for (let depth = 0; depth < 5_000; depth++) schema = nested(28, schema);
  const version = nested(4, nested(1, schema));
  const body = inEnvelope('apiextensions.k8s.io/v1', 'CustomResourceDefinition', nested(2, nested(7, version)));
  const expected = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
  assert.match(refused(body, expected), /exceeded max depth$/);
});

test('a body of another kind, or for a kind that has no protobuf form, is refused', () => {
  assert.equal(
    refused(inEnvelope('v1', 'Service', Buffer.alloc(0))),
    'Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion',
  );
  const custom = { apiVersion: 'example.com/v1', kind: 'Thing' };
  assert.throws(() => decode(podBody(''), protobufType, custom), /accepted media types include: application\/json, application\/yaml$/);
});

test("the two forms of a schema's fields survive both ways", () => {
  const schema = {
    type: 'object',
    default: { a: [1, null] },
    enum: ['a', 1],
    properties: {
      any: { additionalProperties: true },
      none: { additionalProperties: false },
      typed: { additionalProperties: { type: 'string' }, minimum: 0.5 },
      one: { items: { type: 'string' } },
      many: { items: [{ type: 'string' }, { type: 'integer' }] },
      depends: { dependencies: { a: ['b'], c: { type: 'string' } } },
    },
  };
  const message = messageOf('apiextensions/v1.JSONSchemaProps');
  assert.deepEqual(conform(message, decodeMessage(message, encodeMessage(message, schema))).value, schema);
});

/** A message that holds another one. */
function nested(number: number, message: Buffer): Buffer {
  return writing((writer) => writer.uint32((number << 3) | 2).bytes(message));
}
