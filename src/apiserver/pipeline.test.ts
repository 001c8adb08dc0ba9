// Requests from outside: paths, forms of answers, bodies that are wrong, streams, and who may.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { StreamSink } from '#lib/http/exchange.ts';
import { configmaps } from '#api/generated/resources.ts';
import { unauthorized } from '#api/meta/errors.ts';
import { seededRandom } from '#lib/random.ts';
import { virtualClock } from '#lib/virtual-clock.ts';
import { createAuditTrail } from './audit/audit.ts';
import { admin, call, startTestServer } from './server.fixture.ts';

const tableAccept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';
const base = '/api/v1/namespaces/default/configmaps';
const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } };

test('an object is created, read, patched three ways and deleted', async () => {
  const { server } = await startTestServer();
  const created = await call(server, base, { method: 'POST', body });
  assert.equal(created.status, 201);
  assert.match(created.text, /^\{"kind":"ConfigMap","apiVersion":"v1","metadata":\{"resourceVersion":"\d+",.*\}\n$/);
  assert.equal((await call(server, `${base}/a`)).text, created.text);
  const patch = (type: string, patchBody: unknown) =>
    call(server, `${base}/a`, { method: 'PATCH', body: patchBody, headers: { 'content-type': `application/${type}` } });
  assert.deepEqual((await patch('json-patch+json', [{ op: 'add', path: '/data/j', value: '1' }])).json.data, { k: 'v', j: '1' });
  assert.deepEqual((await patch('merge-patch+json', { data: { k: null } })).json.data, { j: '1' });
  assert.deepEqual((await patch('strategic-merge-patch+json', { data: { s: '2' } })).json.data, { j: '1', s: '2' });
  assert.equal((await patch('apply-patch+cbor', 'data: {}')).status, 415);
  const deleted = await call(server, `${base}/a`, { method: 'DELETE', body: { kind: 'DeleteOptions', apiVersion: 'v1' } });
  assert.deepEqual(deleted.json, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'a', kind: 'configmaps', uid: created.json.metadata.uid },
  });
  assert.equal((await call(server, `${base}/a`)).status, 404);
});

test('a list is the cached bytes of its items, without their kinds', async () => {
  const { server } = await startTestServer();
  await call(server, base, { method: 'POST', body });
  const { json } = await call(server, '/api/v1/configmaps?limit=500');
  assert.equal(json.kind, 'ConfigMapList');
  const [item] = json.items;
  assert.deepEqual([item!.kind, item!.metadata.name, item!.data], [undefined, 'a', { k: 'v' }]);
  assert.deepEqual((await call(server, '/api/v1/namespaces/kube-system/configmaps')).json.items, []);
});

test('tables, metadata and YAML are made as asked, and what cannot be made is 406', async () => {
  const { server } = await startTestServer();
  await call(server, base, { method: 'POST', body });
  const table = (await call(server, base, { headers: { accept: tableAccept } })).json as unknown as {
    kind: string;
    columnDefinitions: { name: string }[];
    rows: { cells: unknown[]; object: { kind: string } }[];
  };
  assert.equal(table.kind, 'Table');
  assert.deepEqual(
    table.columnDefinitions.map(({ name }) => name),
    ['Name', 'Data', 'Age'],
  );
  assert.deepEqual(table.rows[0]!.cells, ['a', 1, '0s']);
  assert.equal(table.rows[0]!.object.kind, 'PartialObjectMetadata');
  const metadata = await call(server, `${base}/a`, { headers: { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' } });
  assert.deepEqual([metadata.json.kind, metadata.json.data], ['PartialObjectMetadata', undefined]);
  const yaml = await call(server, `${base}/a`, { headers: { accept: 'application/yaml' } });
  assert.match(yaml.text, /^apiVersion: v1\ndata:\n {2}k: v\nkind: ConfigMap\n/);
  assert.equal((await call(server, base, { headers: { accept: 'application/xml' } })).status, 406);
  assert.equal((await call(server, base, { headers: { accept: 'application/xml,application/json' } })).status, 200);
  assert.match((await call(server, `${base}/a`, { headers: { 'user-agent': 'curl/8' } })).text, /^\{\n {2}"kind"/);
});

test('a big list is compressed for those who take it', async () => {
  const { server, client } = await startTestServer();
  for (let i = 0; i < 40; i++)
    await client.create(configmaps, { metadata: { name: `a${i}`, namespace: 'default' }, data: { k: 'x'.repeat(4096) } });
  const request = {
    path: base,
    query: '',
    method: 'GET',
    remoteAddress: '',
    signal: new AbortController().signal,
    body: async () => Buffer.alloc(0),
  };
  const response = await server.handle({ ...request, headers: { 'accept-encoding': 'gzip' } });
  assert.ok('headers' in response && response.headers['content-encoding'] === 'gzip');
  assert.equal((JSON.parse(gunzipSync(response.body as Buffer).toString()) as { items: object[] }).items.length, 40);
});

test('what is wrong with a body is said, and nothing is stored', async () => {
  const { server } = await startTestServer();
  const before = server.revision;
  const post = (postBody: unknown, query = '', contentType = 'application/json') =>
    call(server, `${base}${query}`, { method: 'POST', body: postBody, headers: { 'content-type': contentType } });
  assert.equal((await post('{"kind":')).status, 400);
  assert.equal((await post('a: [', '', 'application/yaml')).status, 400);
  assert.equal((await post(body, '', 'text/plain')).status, 415);
  assert.equal((await post({ ...body, data: 7 })).status, 400);
  assert.equal((await post({ ...body, kind: 'Secret' })).status, 400);
  const strict = await post({ ...body, dat: {} }, '?fieldValidation=Strict');
  assert.match(strict.json.message, /strict decoding error: unknown field "dat"/);
  assert.equal((await post({ ...body, data: { k: 'x'.repeat(4 * 2 ** 20) } })).status, 413);
  assert.equal((await post({ ...body, metadata: { name: 'Big Name' } })).status, 422);
  assert.equal(
    (await post({ ...body, metadata: { name: 'a', namespace: 'other' } })).json.message,
    'the namespace of the provided object does not match the namespace sent on the request',
  );
  assert.equal((await post(body, '?dryRun=Some')).status, 422);
  assert.equal((await post(body, '?fieldValidation=Perhaps')).status, 422);
  assert.equal(server.revision, before);
  const warned = await post({ ...body, dat: {} });
  assert.equal(warned.headers.warning, '299 - "unknown field \\"dat\\""');
});

test('paths and methods that there are not get 404 and 405', async () => {
  const { server } = await startTestServer();
  assert.equal((await call(server, '/api/v1/teapots')).json.message, 'the server could not find the requested resource');
  assert.equal((await call(server, '/nowhere')).status, 404);
  assert.equal((await call(server, '/api/v1/configmaps', { method: 'POST', body })).status, 405);
  assert.equal((await call(server, `${base}/a`, { method: 'POST', body })).status, 405);
  assert.equal((await call(server, base, { method: 'PUT', body })).status, 405);
  assert.equal((await call(server, '/api/v1/namespaces/default/nodes')).status, 404);
  assert.equal((await call(server, `${base}/a/teapot`)).status, 404);
  assert.equal((await call(server, `${base}/%zz`)).status, 400);
});

test('who may not is told so in upstream’s words', async () => {
  const { server } = await startTestServer({
    security: () => ({ authenticate: async () => ({ name: 'jane', groups: [] }), authorize: () => ({ decision: 'none', reason: '' }) }),
  });
  const refused = await call(server, `${base}/a`);
  assert.equal(refused.status, 403);
  assert.equal(
    refused.json.message,
    'configmaps "a" is forbidden: User "jane" cannot get resource "configmaps" in API group "" in the namespace "default"',
  );
});

test('requests beyond the limit are told to come back, except those of administrators', async () => {
  const jane = { name: 'jane', groups: [] };
  let user = jane;
  const { server } = await startTestServer({
    security: () => ({ authenticate: async () => user, authorize: () => ({ decision: 'allow', reason: '' }) }),
  });
  const waiting = Array.from({ length: 600 }, () => call(server, `${base}?resourceVersion=999999`));
  await new Promise((resolve) => setImmediate(resolve));
  const refused = await call(server, base);
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
  user = admin as typeof jane;
  assert.equal((await call(server, base)).status, 200);
  void waiting;
});

test('a PUT that would create needs the right to create, too', async () => {
  const { server } = await startTestServer({
    security: () => ({
      authenticate: async () => admin,
      authorize: ({ verb }) => ({ decision: verb === 'create' ? 'none' : 'allow', reason: '' }),
    }),
  });
  const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l';
  const put = await call(server, path, { method: 'PUT', body: { metadata: { name: 'l' }, spec: {} } });
  assert.equal(put.status, 403);
});

test('a watch streams frames and ends with its time', async () => {
  const { server, client, clock } = await startTestServer();
  const watching = call(server, `${base}?watch=true&timeoutSeconds=10`);
  await new Promise((resolve) => setImmediate(resolve));
  await client.create(configmaps, { metadata: { name: 'a', namespace: 'default' } });
  await clock.advance(10_000);
  const lines = (await watching).text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; object: { kind: string } });
  assert.deepEqual(
    lines.map(({ type, object }) => [type, object.kind]),
    [['ADDED', 'ConfigMap']],
  );
});

test('a watch from a forgotten revision says so in the stream', async () => {
  const { server, client, clock } = await startTestServer();
  await clock.advance(12 * 60_000);
  await client.create(configmaps, { metadata: { name: 'a', namespace: 'default' } });
  await clock.advance(12 * 60_000);
  const { text } = await call(server, `${base}?watch=true&resourceVersion=2`);
  const event = JSON.parse(text) as { type: string; object: { code: number; reason: string } };
  assert.deepEqual([event.type, event.object.code, event.object.reason], ['ERROR', 410, 'Expired']);
});

test('a watch as a table names the columns once', async () => {
  const { server, client, clock } = await startTestServer();
  const watching = call(server, `${base}?watch=true&timeoutSeconds=10`, { headers: { accept: tableAccept } });
  await new Promise((resolve) => setImmediate(resolve));
  for (const name of ['a', 'b']) await client.create(configmaps, { metadata: { name, namespace: 'default' } });
  await clock.advance(10_000);
  const lines = (await watching).text.trim().split('\n');
  const tables = lines.map(
    (line) => (JSON.parse(line) as { object: { columnDefinitions: object[] | null; rows: { cells: string[] }[] } }).object,
  );
  assert.deepEqual(
    tables.map(({ columnDefinitions, rows }) => [columnDefinitions?.length, rows[0]!.cells[0]]),
    [
      [3, 'a'],
      [undefined, 'b'],
    ],
  );
});

test('a client that does not read is cut off, and another one misses nothing', async () => {
  const { server, client } = await startTestServer();
  const stuck: StreamSink = { write: () => false, drained: () => new Promise(() => {}), pendingBytes: 0, end() {} };
  const open = async () => {
    const request = { path: base, query: 'watch=true', method: 'GET', headers: {}, remoteAddress: '', body: async () => Buffer.alloc(0) };
    const response = await server.handle({ ...request, signal: new AbortController().signal });
    assert.ok('body' in response && typeof response.body === 'function');
    return response.body(stuck);
  };
  const cut = assert.rejects(open(), /the client reads too slowly/);
  const seen: string[] = [];
  client.watch(configmaps, { namespace: 'default' }, (events) => {
    for (const event of events) if (event.type === 'ADDED') seen.push(event.object.metadata.name!);
  });
  const names = Array.from({ length: 30 }, (_, number) => `a${number}`);
  for (const name of names) await client.create(configmaps, { metadata: { name, namespace: 'default' }, data: { k: 'x'.repeat(500_000) } });
  await cut;
  assert.deepEqual(seen, names);
  // The other client, and the server's own watch of services.
  assert.equal(server.watcherCount, 2);
});

test('every answer carries its audit id; wrong credentials are noted as nobody’s, and odd ids are not taken over', async () => {
  const lines: string[] = [];
  const { server } = await startTestServer({
    security: () => ({
      authenticate: async ({ headers }) => {
        if (headers.authorization !== undefined) throw unauthorized();
        return admin;
      },
      authorize: () => ({ decision: 'allow', reason: '' }),
    }),
    audit: createAuditTrail({ sink: { write: (line) => lines.push(line) }, clock: virtualClock(), random: seededRandom(1) }),
  });
  const refused = await call(server, base, { headers: { authorization: 'Bearer wrong', 'audit-id': 'from-client' } });
  const { auditID, user, responseStatus } = JSON.parse(lines[0]!) as { auditID: string; user: object; responseStatus: { code: number } };
  assert.deepEqual([refused.status, refused.headers['audit-id'], auditID], [401, 'from-client', 'from-client']);
  assert.deepEqual([user, responseStatus.code], [{ username: 'system:anonymous', groups: ['system:unauthenticated'] }, 401]);
  for (const odd of ['x'.repeat(65), 'a\r\nset-cookie: b']) {
    assert.match((await call(server, base, { headers: { 'audit-id': odd } })).headers['audit-id']!, /^[0-9a-f-]{36}$/);
  }
  assert.match((await call(server, '/readyz')).headers['audit-id']!, /^[0-9a-f-]{36}$/, 'also where nothing is logged');
});
