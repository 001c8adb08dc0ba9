// What clients are told while the store cannot write: writes are refused with an answer to wait on, reads and watches go on.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConfigMap } from '#api/generated/core-v1.ts';
import { configmaps } from '#api/generated/resources.ts';
import { createMemoryStore } from '#store/memory.ts';
import { startSqliteThread } from '#store/sqlite-thread.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import { StoreUnavailableError, UnknownOutcomeError } from '#store/store.ts';
import { call, startTestServer } from './server.fixture.ts';

const path = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, bytes: number): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { text: 'x'.repeat(bytes) },
});

test('a full disk refuses writes, goes on serving reads and watches, and takes writes again when there is space', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'keks-full-'));
  const thread = startSqliteThread();
  // SQLite's own limit on the file's size fails exactly as a full disk does: SQLITE_FULL.
  const store = await openSqliteStore(join(folder, 'store.db'), thread, { maxPages: 400 });
  const { server, client } = await startTestServer({ store });
  t.after(async () => {
    await server.stop();
    await store.close();
    await thread.close();
    await rm(folder, { recursive: true });
  });
  await client.create(configmaps, configMap('first', 10));
  const heard: string[] = [];
  const watch = client.watch(configmaps, { namespace: 'default', resourceVersion: String(server.revision) }, (events) => {
    for (const event of events) if (event.type !== 'BOOKMARK') heard.push(`${event.type} ${event.object.metadata.name}`);
  });
  t.after(() => watch.close());

  const created: string[] = [];
  let reply = await call(server, path, { method: 'POST', body: configMap('big-0', 200_000) });
  for (let i = 1; reply.status === 201; i++) {
    created.push(reply.json.metadata.name);
    reply = await call(server, path, { method: 'POST', body: configMap(`big-${i}`, 200_000) });
  }
  assert.equal(reply.status, 503);
  assert.deepEqual(JSON.parse(reply.text), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the disk is full: nothing can be written until there is space',
    reason: 'ServiceUnavailable',
    code: 503,
  });
  assert(created.length > 0);
  const listed = await call(server, path);
  assert.deepEqual(listed.json.items.map(({ metadata }) => metadata.name).sort(), [...created, 'first'].sort());

  // Space returns as it does in a running server: objects are deleted, and compaction forgets their history.
  for (const name of created) assert.equal((await call(server, `${path}/${name}`, { method: 'DELETE' })).status, 200);
  await store.compact(await store.currentRevision());
  assert.equal((await call(server, path, { method: 'POST', body: configMap('last', 200_000) })).status, 201);
  assert.deepEqual(heard, [...created.map((name) => `ADDED ${name}`), ...created.map((name) => `DELETED ${name}`), 'ADDED last']);
});

test('a lost quorum is a 503 for reads and writes, an unknown outcome a 504 that clients do not repeat', async () => {
  const memory = createMemoryStore();
  let failure: Error | undefined;
  const failing = async () => {
    if (failure) throw failure;
  };
  const store: Store = {
    ...memory,
    currentRevision: async () => (await failing(), memory.currentRevision()),
    commit: async (transaction) => (await failing(), memory.commit(transaction)),
  };
  const { server } = await startTestServer({ store });
  failure = new StoreUnavailableError('etcd is not available: etcdserver: no leader');
  const [read, write] = [await call(server, path), await call(server, path, { method: 'POST', body: configMap('a', 1) })];
  assert.deepEqual([read.status, write.status], [503, 503]);
  assert.equal(JSON.parse(write.text).reason, 'ServiceUnavailable');
  // What the cache may answer, it answers.
  assert.equal((await call(server, `${path}?resourceVersion=0`)).status, 200);
  failure = new UnknownOutcomeError('etcd did not answer: etcdserver: request timed out');
  const unknown = await call(server, path, { method: 'POST', body: configMap('a', 1) });
  assert.equal(unknown.status, 504);
  assert.equal(JSON.parse(unknown.text).message, 'Timeout: etcd did not answer: etcdserver: request timed out');
  failure = undefined;
  assert.equal((await call(server, path, { method: 'POST', body: configMap('a', 1) })).status, 201);
  await server.stop();
});
