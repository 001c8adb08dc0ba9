// The warning header as it goes over the wire.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serveHttp } from '#lib/http/server.ts';
import { silentLog } from '#lib/log.ts';
import { call, startTestServer } from '../server.fixture.ts';
import { warningHeader } from './warning-header.ts';

test('unknown fields with any characters are warned of, and the object is created all the same', async () => {
  const { server } = await startTestServer();
  const http = await serveHttp({ handler: server.handle, host: '127.0.0.1', port: 0, log: silentLog });
  const body = JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' }, 'fünf\r\n"😀\u0001\ud800': 1 });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`http://127.0.0.1:${http.port}/api/v1/namespaces/default/configmaps`, { method: 'POST', headers, body });
  assert.equal(answer.status, 201);
  const told = Buffer.from(answer.headers.get('warning')!, 'latin1').toString();
  assert.equal(told, '299 - "unknown field \\"fünf \\"😀 \ufffd\\""');
  await http.close(0);
});

test('a warning is told once, and thousands stay within what clients read', () => {
  assert.equal(warningHeader(['a', 'a', 'b']), '299 - "a", 299 - "b"');
  const many = Array.from({ length: 5000 }, (_, number) => `unknown field "spec.${'x'.repeat(300)}${number}"`);
  const header = warningHeader(many);
  assert.ok(header.length < 8 * 1024 && header.startsWith('299 - "unknown field'));
});

test('a body full of unknown fields is answered as any other', async () => {
  const { server } = await startTestServer();
  const unknown = Object.fromEntries(Array.from({ length: 200_000 }, (_, number) => [`f${number}`, 1]));
  const body = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' }, ...unknown };
  const { status, headers } = await call(server, '/api/v1/namespaces/default/configmaps', { method: 'POST', body });
  assert.deepEqual([status, headers.warning!.length < 8 * 1024], [201, true]);
});
