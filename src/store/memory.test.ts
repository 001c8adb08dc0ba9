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

testEmbeddedStore('memory', async () => createMemoryStore());

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
