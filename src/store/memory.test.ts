// The memory engine against the suite of all engines.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testEmbeddedStore } from './conformance.ts';
import { createMemoryStore } from './memory.ts';
import { openSqliteStore } from './sqlite.ts';
import { startSqliteThread } from './sqlite-thread.ts';
import type { Store } from './store.ts';

testEmbeddedStore('memory', async () => createMemoryStore());
testEmbeddedStore('forked memory', async () => createMemoryStore().fork());

test('a fork has keys, history and revision of its source, and what is written to one is not seen in the other', async () => {
  const source = createMemoryStore();
  const write = async (store: Store, key: string, text: string) => {
    const result = await store.commit({ compare: [], writes: [{ key, value: Buffer.from(text) }] });
    assert(result.committed);
    return result.revision;
  };
  const texts = async (store: Store, revision?: number) =>
    (await store.list('/', revision === undefined ? {} : { revision })).values.map(({ key, value }) => `${key}=${value}`);
  const heardBy = (store: Store, after: number) => {
    const heard: string[] = [];
    store.watch('/', after, {
      events: (events) => heard.push(...events.map((event) => `${event.type} ${event.key}=${event.value} ${event.revision}`)),
      ended: () => {},
    });
    return heard;
  };
  const first = await write(source, '/a', '1');
  await write(source, '/b', '1');
  const heardAtSource = heardBy(source, first);
  const fork = source.fork();
  const heardAtFork = heardBy(fork, first);
  assert.equal(await fork.currentRevision(), await source.currentRevision());

  await write(fork, '/a', 'fork');
  await fork.commit({ compare: [], writes: [{ key: '/b', delete: true }] });
  await write(source, '/c', 'source');
  assert.deepEqual(await texts(source), ['/a=1', '/b=1', '/c=source']);
  assert.deepEqual(await texts(fork), ['/a=fork']);
  assert.deepEqual(await texts(fork, first), ['/a=1']);
  await fork.compact(await fork.currentRevision());
  assert.deepEqual(await texts(source, first), ['/a=1']);
  assert.deepEqual(heardAtSource, ['put /b=1 3', 'put /c=source 4']);
  assert.deepEqual(heardAtFork, ['put /b=1 3', 'put /a=fork 4', 'delete /b=1 5']);
  await source.close();
  assert.equal(await write(fork, '/d', 'after the source'), 6);
  await fork.close();
});

test('a snapshot of a memory store opens as a SQLite store with the same keys and revisions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keks-store-'));
  const memory = createMemoryStore();
  await memory.commit({
    compare: [],
    writes: [
      { key: '/a', value: Buffer.from('1') },
      { key: '/b', value: Buffer.from('2') },
    ],
  });
  await memory.commit({ compare: [], writes: [{ key: '/a', value: Buffer.from('3') }] });
  const revision = await memory.snapshot(join(folder, 'copy.sqlite'));
  const thread = startSqliteThread();
  const copy = await openSqliteStore(join(folder, 'copy.sqlite'), thread);
  assert.equal(await copy.currentRevision(), revision);
  assert.deepEqual(await copy.list('/'), await memory.list('/'));
  await copy.close();
  await thread.close();
  await rm(folder, { recursive: true });
});
