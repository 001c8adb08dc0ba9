// The SQLite engine against the suite of all engines, and what only a durable engine promises.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { testEmbeddedStore } from './conformance.ts';
import { openSqliteStore } from './sqlite.ts';
import type { SqliteThread } from './sqlite-thread.ts';
import { startSqliteThread } from './sqlite-thread.ts';
import { StoreUnavailableError } from './store.ts';

let folder: string;
let thread: SqliteThread;
let files = 0;
const nextFile = () => join(folder, `${++files}.sqlite`);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keks-store-'));
  thread = startSqliteThread();
});
after(async () => {
  await thread.close();
  await rm(folder, { recursive: true });
});

testEmbeddedStore('sqlite', () => openSqliteStore(nextFile(), thread));

describe('a SQLite store', () => {
  test('finds keys, revisions and history again after it is opened anew', async () => {
    const file = nextFile();
    const first = await openSqliteStore(file, thread);
    await first.commit({ compare: [], writes: [{ key: '/a', value: Buffer.from('1') }] });
    await first.commit({ compare: [], writes: [{ key: '/a', value: Buffer.from('2') }] });
    const before = await first.list('/');
    await first.close();
    const second = await openSqliteStore(file, thread);
    assert.deepEqual(await second.list('/'), before);
    assert.equal((await second.get('/a', before.revision - 1))!.value.toString(), '1');
    await second.close();
  });

  test('never reuses a revision after everything was deleted, compacted and opened anew', async () => {
    const file = nextFile();
    const first = await openSqliteStore(file, thread);
    await first.commit({ compare: [], writes: [{ key: '/a', value: Buffer.from('1') }] });
    await first.commit({ compare: [], writes: [{ key: '/a', delete: true }] });
    const revision = await first.currentRevision();
    await first.compact(revision);
    await first.close();
    const second = await openSqliteStore(file, thread);
    assert.equal(await second.currentRevision(), revision);
    await second.close();
  });

  test('refuses a second owner of the same file', async () => {
    const file = nextFile();
    const owner = await openSqliteStore(file, thread);
    await owner.commit({ compare: [], writes: [{ key: '/a', value: Buffer.from('1') }] });
    const other = startSqliteThread();
    await assert.rejects(openSqliteStore(file, other), /database is locked/);
    await owner.close();
    // Also one that has only opened it and not written yet.
    const reader = await openSqliteStore(file, thread);
    await assert.rejects(openSqliteStore(file, other), /database is locked/);
    await other.close();
    await reader.close();
  });

  test('has every acknowledged commit after kill -9 of the process', async () => {
    const file = nextFile();
    const writer = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'sqlite-writer.fixture.ts'), file],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const acknowledged: string[] = [];
    for await (const line of createInterface({ input: writer.stdout })) {
      acknowledged.push(line);
      if (acknowledged.length === 300) writer.kill('SIGKILL');
    }
    if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
    const store = await openSqliteStore(file, thread);
    const found = new Map((await store.list('/')).values.map(({ key, value, revision }) => [key, `${value} ${revision}`]));
    assert(acknowledged.length >= 300);
    for (const line of acknowledged) {
      const [key, value, revision] = line.split(' ');
      assert.equal(found.get(key!), `${value} ${revision}`);
    }
    await store.close();
  });

  test('refuses writes on a full disk, serves reads, and goes on when there is space', async () => {
    const file = nextFile();
    const store = await openSqliteStore(file, thread);
    await store.commit({ compare: [], writes: [{ key: '/a', value: Buffer.from('1') }] });
    const revision = await store.currentRevision();
    await store.close();
    // SQLite's own limit on the file's size fails exactly as a full disk does: SQLITE_FULL.
    const limited = await openLimitedStore(file, thread);
    const large = { key: '/large', value: Buffer.alloc(2 ** 20) };
    await assert.rejects(limited.commit({ compare: [], writes: [large] }), StoreUnavailableError);
    assert.equal((await limited.get('/a'))!.value.toString(), '1');
    assert.equal(await limited.currentRevision(), revision);
    assert.equal((await limited.commit({ compare: [], writes: [{ key: '/small', value: Buffer.from('fits') }] })).committed, true);
    await limited.close();
  });

  test('stays bounded under churn with compaction', async () => {
    const file = nextFile();
    const store = await openSqliteStore(file, thread);
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 500 }, (_, i) =>
          store.commit({ compare: [], writes: [{ key: `/k${i % 10}`, value: Buffer.alloc(1000, round) }] }),
        ),
      );
      await store.compact(await store.currentRevision());
    }
    await store.close();
    const db = new DatabaseSync(file, { readOnly: true });
    assert.equal((db.prepare('SELECT count(*) AS n FROM history').get() as { n: number }).n, 10);
    const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number };
    assert(pages < 500, `${pages} pages`);
    db.close();
  });
});

/** A store whose file may not grow by more than a few pages. */
async function openLimitedStore(file: string, worker: SqliteThread) {
  return openSqliteStore(file, worker, { maxPages: 64 });
}
