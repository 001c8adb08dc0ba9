// Requests and answers in protobuf, as kubectl and client-go send and want them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '#api/meta/decode.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { encodeMessage, inEnvelope } from '#api/protobuf/encode.ts';
import { openEnvelope } from '#api/protobuf/envelope.ts';
import { protobufType } from '#api/protobuf/wire.ts';
import { messageOf } from '#api/schema.ts';
import { protobufBodyOf } from './output/protobuf.ts';
import { call, startTestServer } from './server.fixture.ts';

const base = '/api/v1/namespaces/default/configmaps';
const both = { 'content-type': protobufType, accept: `${protobufType},application/json` };
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, binaryData: { b: 'AP8=' }, data: { k: 'v' } };
const open = <T extends KubeObject = KubeObject>(body: Buffer, apiVersion: string, kind: string): T =>
  decode(body, protobufType, { apiVersion, kind }).object as T;

test('an object comes, goes and is deleted in protobuf, the same as in JSON', async () => {
  const { server } = await startTestServer();
  const created = await call(server, base, { method: 'POST', body: protobufBodyOf(configMap), headers: both });
  assert.deepEqual([created.status, created.headers['content-type']], [201, protobufType]);
  const inJson = await call(server, `${base}/a`);
  assert.deepEqual(open(created.bytes, 'v1', 'ConfigMap'), inJson.json);
  const got = await call(server, `${base}/a`, { headers: both });
  assert.deepEqual(got.bytes, created.bytes);
  const refused = await call(server, `${base}/a`, {
    method: 'DELETE',
    body: optionsBody({ preconditions: { uid: 'other' } }),
    headers: both,
  });
  assert.equal(refused.status, 409);
  const options = { preconditions: { uid: inJson.json.metadata.uid } };
  const deleted = await call(server, `${base}/a`, { method: 'DELETE', body: optionsBody(options), headers: both });
  assert.equal(open<{ status: string } & KubeObject>(deleted.bytes, 'v1', 'Status').status, 'Success');
  assert.equal((await call(server, `${base}/a`)).status, 404);
});

test('a list and its metadata are written in protobuf', async () => {
  const { server } = await startTestServer();
  await call(server, base, { method: 'POST', body: configMap });
  await call(server, base, { method: 'POST', body: { ...configMap, metadata: { name: 'b' } } });
  const listed = await call(server, `${base}?limit=1`, { headers: both });
  const list = open<KubeObject & { items: KubeObject[]; metadata: { continue: string } }>(listed.bytes, 'v1', 'ConfigMapList');
  assert.deepEqual(
    list.items.map(({ metadata }) => metadata.name),
    ['a'],
  );
  assert.notEqual(list.metadata.continue, undefined);
  const accept = `${protobufType};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`;
  const metadata = await call(server, base, { headers: { accept } });
  const partial = open<KubeObject & { items: object[] }>(metadata.bytes, 'meta.k8s.io/v1', 'PartialObjectMetadataList');
  assert.equal(partial.items.length, 2);
});

test('a table is JSON even for those who want protobuf, and 406 for those who take nothing else', async () => {
  const { server } = await startTestServer();
  const table = `${protobufType};as=Table;v=v1;g=meta.k8s.io`;
  const answered = await call(server, base, { headers: { accept: `${table},application/json;as=Table;v=v1;g=meta.k8s.io` } });
  assert.equal(answered.json.kind, 'Table');
  assert.equal((await call(server, base, { headers: { accept: table } })).status, 406);
});

test('failures are written in protobuf for those who want that first, and in JSON for all others', async () => {
  const { server } = await startTestServer();
  const missing = await call(server, `${base}/nope`, { headers: both });
  assert.deepEqual([missing.status, missing.headers['content-type']], [404, protobufType]);
  const status = open<KubeObject & { message: string; reason: string; code: number }>(missing.bytes, 'v1', 'Status');
  assert.deepEqual([status.message, status.reason, status.code], ['configmaps "nope" not found', 'NotFound', 404]);
  assert.equal((await call(server, `${base}/nope`)).json.message, 'configmaps "nope" not found');
  const broken = await call(server, base, {
    method: 'POST',
    body: Buffer.from('k8s\0\x0a\x7f'),
    headers: { 'content-type': protobufType },
  });
  assert.deepEqual(
    [broken.status, broken.json.message],
    [400, 'the object provided is unrecognized (must be of type ConfigMap): unexpected EOF (6b3873000a7f)'],
  );
});

test('a watch is frames of a length and an event, with bookmarks in the same form', async () => {
  const { server, clock } = await startTestServer();
  await call(server, base, { method: 'POST', body: configMap });
  const url = `${base}?watch=1&resourceVersion=0&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1`;
  const watching = call(server, url, { headers: { accept: protobufType } });
  await call(server, `${base}/a`, { method: 'DELETE' });
  await clock.advance(2_000);
  const reply = await watching;
  assert.equal(reply.headers['content-type'], `${protobufType};stream=watch`);
  const seen = framesOf(reply.bytes).map(({ type, object }) => [type, object.kind, object.metadata.name]);
  assert.deepEqual(seen, [
    ['ADDED', 'ConfigMap', 'a'],
    ['BOOKMARK', 'ConfigMap', undefined],
    ['DELETED', 'ConfigMap', 'a'],
  ]);
});

/** Clients write any group's version there. */
function optionsBody(options: object): Buffer {
  return inEnvelope('apps/v1', 'DeleteOptions', encodeMessage(messageOf('meta/v1.DeleteOptions'), options));
}

function framesOf(bytes: Buffer): { type: string; object: KubeObject }[] {
  const frames: { type: string; object: KubeObject }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    const event = bytes.subarray(at + 4, end);
    const type = event.toString('utf8', 2, 2 + event[1]!);
    const body = event.subarray(event.indexOf('k8s\0'));
    const { apiVersion, kind } = openEnvelope(body);
    frames.push({ type, object: open(body, apiVersion, kind) });
    at = end;
  }
  return frames;
}
