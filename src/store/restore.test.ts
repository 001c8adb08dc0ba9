// Snapshots put in the place of stores, and what a damaged file is met with.
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { restoreSnapshot } from './restore.ts';
import type { SqliteThread } from './sqlite-thread.ts';
import { startSqliteThread } from './sqlite-thread.ts';
import { openSqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';
import { CompactedError } from './store.ts';

let folder: string;
let thread: SqliteThread;
let files = 0;
const nextFile = () => join(folder, `${++files}.db`);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keks-restore-'));
  thread = startSqliteThread();
});
after(async () => {
  await thread.close();
  await rm(folder, { recursive: true });
});

async function write(store: Store, key: string, text: string): Promise<number> {
  const result = await store.commit({ compare: [], writes: [{ key, value: Buffer.from(text) }] });
  assert(result.committed);
  return result.revision;
}
const contents = async (store: Store) => (await store.list('/')).values.map(({ key, value, revision }) => `${key}=${value} ${revision}`);

/** A store that wrote on after its snapshot, both closed. */
async function prepared() {
  const [file, snapshot] = [nextFile(), nextFile()];
  const store = await openSqliteStore(file, thread);
  await write(store, '/a', '1');
  await write(store, '/a', '2');
  await write(store, '/b', '1');
  const atSnapshot = await contents(store);
  await store.snapshot(snapshot);
  await write(store, '/a', 'later');
  const last = await write(store, '/c', 'later');
  await store.close();
  return { file, snapshot, atSnapshot, last };
}

test('a restored store has the state of the snapshot and goes on above every revision that was ever given out', async () => {
  const { file, snapshot, atSnapshot, last } = await prepared();
  const from = await restoreSnapshot({ snapshot, file });
  assert.equal(from, last + 1);
  const store = await openSqliteStore(file, thread);
  assert.deepEqual(await contents(store), atSnapshot);
  assert.equal(await store.currentRevision(), from);
  assert.equal(await write(store, '/d', 'new'), from + 1);
  await assert.rejects(store.list('/', { revision: last }), CompactedError);
  const ended = Promise.withResolvers<Error>();
  store.watch('/', last, { events: () => {}, ended: ended.resolve });
  assert((await ended.promise) instanceof CompactedError);
  // History of the restored store can be forgotten in turn.
  await write(store, '/a', 'newer');
  await store.compact(await store.currentRevision());
  assert.deepEqual(
    (await contents(store)).map((line) => line.split(' ')[0]),
    ['/a=newer', '/b=1', '/d=new'],
  );
  await store.close();
});

test('where the replaced store is lost or damaged, revisions go on far above the snapshot’s', async () => {
  const { file, snapshot, atSnapshot, last } = await prepared();
  const fresh = nextFile();
  assert((await restoreSnapshot({ snapshot, file: fresh })) > last + 1_000_000);
  await writeFile(file, Buffer.alloc(8192, 'not a database '));
  assert((await restoreSnapshot({ snapshot, file })) > last + 1_000_000);
  const store = await openSqliteStore(file, thread);
  assert.deepEqual(await contents(store), atSnapshot);
  await store.close();
});

test('a snapshot that is no store is refused, and so is one over a store in use; nothing is changed', async () => {
  const { file, snapshot } = await prepared();
  const bad = nextFile();
  await writeFile(bad, 'this is no snapshot'.repeat(500));
  const bytes = await readFile(file);
  await assert.rejects(restoreSnapshot({ snapshot: bad, file }), { name: 'DamagedStoreError' });
  assert.deepEqual(await readFile(file), bytes);
  const owner = await openSqliteStore(file, thread);
  const kept = await contents(owner);
  await assert.rejects(restoreSnapshot({ snapshot, file }), /database is locked/);
  assert.deepEqual(await contents(owner), kept);
  await owner.close();
});

test('a damaged file is refused at start, saying what to do', async () => {
  const [file, scribbled] = [nextFile(), nextFile()];
  const store = await openSqliteStore(file, thread);
  for (let i = 0; i < 200; i++) await write(store, `/k${i}`, 'x'.repeat(500));
  await store.close();
  await copyFile(file, scribbled);
  const handle = await open(scribbled, 'r+');
  for (let page = 3; page < 12; page++) await handle.write(Buffer.alloc(400, 0xa5), 0, 400, page * 4096);
  await handle.close();
  await assert.rejects(openSqliteStore(scribbled, thread), (error: Error) => {
    assert.match(error.message, /\.db is damaged \(.+\): restore a snapshot in its place$/);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
  const whole = await openSqliteStore(file, thread);
  assert.equal((await whole.list('/')).values.length, 200);
  await whole.close();
});
