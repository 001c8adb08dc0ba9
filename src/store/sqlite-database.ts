// The SQLite file of a store: all versions since the last compaction in one table, one row a write. Synchronous; it runs in the worker.
import { DatabaseSync } from 'node:sqlite';
import type { CommitResult, Compare, KeyValue, ListResult, StoreEvent } from './store.ts';
import { CompactedError, DamagedStoreError, FutureRevisionError } from './store.ts';
import { prefixEnd } from './sorted-keys.ts';

/** Rows of one commit share its revision; their ids count within it, so that one primary key orders everything. */
const rowsPerRevision = 65536;
const formatVersion = 1;

interface DatabaseWrite {
  key: string;
  /** Undefined: delete. */
  value: Uint8Array | undefined;
}

/** What one transaction came to; deletes carry the value that was deleted. */
interface DatabaseCommit {
  result: CommitResult;
  events: { index: number; previousRevision: number; deletedValue?: Uint8Array }[];
}

export interface SqliteDatabase {
  readonly revision: number;
  readonly compacted: number;
  get(key: string, revision?: number): KeyValue | undefined;
  list(prefix: string, options: { revision?: number; after?: string; limit?: number }): ListResult;
  /** All transactions in one durable commit of the file; each may still be refused by its compares. Throws if the file cannot be written: then nothing was. */
  commitAll(transactions: { compare: Compare[]; writes: DatabaseWrite[] }[]): DatabaseCommit[];
  history(prefix: string, after: number): { events: StoreEvent[]; through: number };
  compact(revision: number): void;
  snapshot(file: string): number;
  close(): void;
}

interface Row {
  id: number;
  key: string;
  previous: number;
  deleted: number;
  value: Uint8Array;
}

const firstId = (revision: number) => revision * rowsPerRevision;
const revisionOf = (id: number) => Math.floor(id / rowsPerRevision);
/** The same memory as a Buffer. */
const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const toKeyValue = (row: Row): KeyValue => ({ key: row.key, value: asBuffer(row.value), revision: revisionOf(row.id) });

export interface FileLimits {
  /** The file may not grow beyond this many pages of 4 KiB; a write that needs more fails as on a full disk. */
  maxPages?: number;
}

export function openSqliteDatabase(file: string, limits: FileLimits = {}): SqliteDatabase {
  const db = openFile(file);
  if (limits.maxPages !== undefined) db.exec(`PRAGMA max_page_count=${limits.maxPages}`);
  const statements = prepareAll(db);
  const readMeta = (name: string) => (statements.readMeta.get(name) as { value: number } | undefined)?.value ?? 0;
  let revision = Math.max(1, readMeta('revision'), revisionOf((statements.lastId.get() as { id: number | null }).id ?? 0));
  let compacted = readMeta('compacted');

  const checkReadable = (asked: number | undefined): number => {
    if (asked === undefined) return revision;
    if (asked < compacted) throw new CompactedError(compacted);
    if (asked > revision) throw new FutureRevisionError(`revision ${asked} has not been written yet; the latest is ${revision}`);
    return asked;
  };

  return {
    get revision() {
      return revision;
    },
    get compacted() {
      return compacted;
    },
    get(key, asked) {
      const row = rowAt(statements, key, checkReadable(asked));
      return row && toKeyValue(row);
    },
    list(prefix, options) {
      const atRevision = checkReadable(options.revision);
      const end = prefixEnd(prefix) ?? '\u{10ffff}';
      const from = options.after !== undefined && options.after >= prefix ? `${options.after}\0` : prefix;
      const rows = statements.list.all(from, end, firstId(atRevision + 1), options.limit || -1) as unknown as Row[];
      const last = rows.at(-1);
      const complete = !options.limit || rows.length < options.limit || last === undefined;
      const remaining = complete ? 0 : (statements.count.get(`${last.key}\0`, end, firstId(atRevision + 1)) as { n: number }).n;
      return { revision: atRevision, values: rows.map(toKeyValue), remaining };
    },
    commitAll(transactions) {
      let at = revision;
      return inTransaction(db, () => {
        const commits = transactions.map(({ compare, writes }) => {
          const commit = commitOne(statements, { compare, writes, at });
          if (commit.result.committed) at = commit.result.revision;
          return commit;
        });
        return { commits, done: () => (revision = at) };
      });
    },
    history(prefix, after) {
      if (after < compacted) throw new CompactedError(compacted);
      const rows = statements.history.all(firstId(after + 1), prefix, prefixEnd(prefix) ?? '\u{10ffff}') as unknown as Row[];
      return { events: rows.map((row) => toEvent(row, statements.valueAt)), through: revision };
    },
    compact(through) {
      const target = checkReadable(through);
      while (compacted < target) {
        const step = Math.min(target, nextWindow(statements, compacted, target));
        inTransaction(db, () => {
          statements.dropSuperseded.run(firstId(compacted + 1), firstId(step + 1));
          statements.dropTombstones.run(firstId(compacted + 1), firstId(step + 1));
          statements.writeMeta.run('compacted', step);
          statements.writeMeta.run('revision', revision);
          return { commits: undefined, done: () => (compacted = step) };
        });
      }
      db.exec('PRAGMA incremental_vacuum(1000)');
    },
    snapshot(target) {
      db.prepare('VACUUM INTO ?').run(target);
      return revision;
    },
    close() {
      db.close();
    },
  };
}

function commitOne(
  statements: Statements,
  { compare, writes, at }: { compare: Compare[]; writes: DatabaseWrite[]; at: number },
): DatabaseCommit {
  if (compare.some(({ key, revision: expected }) => revisionAt(statements, key, at) !== expected)) {
    const current = compare.map(({ key }) => rowAt(statements, key, at)).filter((row) => row !== undefined);
    return { result: { committed: false, current: current.map(toKeyValue) }, events: [] };
  }
  if (writes.length > rowsPerRevision) throw new RangeError(`a commit writes at most ${rowsPerRevision} keys`);
  const events: DatabaseCommit['events'] = [];
  for (const [index, { key, value }] of writes.entries()) {
    if (value === undefined) {
      const old = rowAt(statements, key, at);
      if (old === undefined) continue;
      statements.insert.run(firstId(at + 1) + index, key, revisionOf(old.id), 1, null);
      events.push({ index, previousRevision: revisionOf(old.id), deletedValue: old.value });
    } else {
      const previousRevision = revisionAt(statements, key, at);
      statements.insert.run(firstId(at + 1) + index, key, previousRevision, 0, value);
      events.push({ index, previousRevision });
    }
  }
  return { result: { committed: true, revision: events.length > 0 ? at + 1 : at }, events };
}

function rowAt(statements: Statements, key: string, atRevision: number): Row | undefined {
  const row = statements.get.get(key, firstId(atRevision + 1)) as Row | undefined;
  return row && !row.deleted ? row : undefined;
}

/** As rowAt, without reading the value. */
function revisionAt(statements: Statements, key: string, atRevision: number): number {
  const row = statements.getId.get(key, firstId(atRevision + 1)) as Pick<Row, 'id' | 'deleted'> | undefined;
  return row && !row.deleted ? revisionOf(row.id) : 0;
}

/** Writes a new store file that holds `values`, each at its own revision, with `revision` as the latest. */
export function writeSnapshot(file: string, revision: number, values: readonly KeyValue[]): void {
  const db = openFile(file);
  const statements = prepareAll(db);
  const used = new Map<number, number>();
  inTransaction(db, () => {
    for (const { key, value, revision: written } of values) {
      const position = used.get(written) ?? 0;
      used.set(written, position + 1);
      statements.insert.run(firstId(written) + position, key, 0, 0, value);
    }
    statements.writeMeta.run('revision', revision);
    // What was before the snapshot is not in it.
    statements.writeMeta.run('compacted', revision);
    return { commits: undefined, done: () => undefined };
  });
  db.close();
}

/** Makes a closed store file go on above `revision`: what came before it is no longer told. */
export function continueAbove(file: string, revision: number): number {
  const db = openFile(file);
  const { writeMeta } = prepareAll(db);
  inTransaction(db, () => {
    for (const name of ['revision', 'compacted']) writeMeta.run(name, revision + 1);
    return { commits: undefined, done: () => undefined };
  });
  db.close();
  return revision + 1;
}

function openFile(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    prepareFile(db, file);
    checkIntegrity(db, file);
    return db;
  } catch (error) {
    db.close();
    // SQLITE_CORRUPT, SQLITE_NOTADB
    const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
    if (code === 11 || code === 26) throw new DamagedStoreError(file, (error as Error).message);
    throw error;
  }
}

/** Reading a larger file through would hold up the start for longer than it is worth. */
const checkedBytes = 32 * 2 ** 20;

function checkIntegrity(db: DatabaseSync, file: string): void {
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number };
  const { page_size: pageBytes } = db.prepare('PRAGMA page_size').get() as { page_size: number };
  const what = pages * pageBytes > checkedBytes ? "'meta'" : '1';
  const { quick_check: found } = db.prepare(`PRAGMA quick_check(${what})`).get() as { quick_check: string };
  if (found !== 'ok') throw new DamagedStoreError(file, found.replaceAll('\n', ' '));
}

function prepareFile(db: DatabaseSync, file: string): void {
  // One process owns the file: a second one is refused at once, and WAL needs no shared memory.
  db.exec(
    'PRAGMA auto_vacuum=INCREMENTAL; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2000',
  );
  // The lock is taken by the first write: a second owner must not come in before that.
  db.exec('BEGIN IMMEDIATE; COMMIT');
  db.exec(`
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS history (id INTEGER PRIMARY KEY, key TEXT NOT NULL, previous INTEGER NOT NULL, deleted INTEGER NOT NULL, value BLOB);
    CREATE UNIQUE INDEX IF NOT EXISTS history_key ON history (key, id, deleted);
  `);
  const format = db.prepare("SELECT value FROM meta WHERE name = 'format'").get() as { value: number } | undefined;
  if (format === undefined) db.exec(`INSERT INTO meta VALUES ('format', ${formatVersion})`);
  else if (format.value !== formatVersion)
    throw new Error(`${file} has store format ${format.value}; this keks reads format ${formatVersion}`);
}

type Statements = ReturnType<typeof prepareAll>;

function prepareAll(db: DatabaseSync) {
  const latest = 'SELECT key AS k, max(id) AS i FROM history WHERE key >= ? AND key < ? AND id < ? GROUP BY key';
  return {
    readMeta: db.prepare('SELECT value FROM meta WHERE name = ?'),
    writeMeta: db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'),
    lastId: db.prepare('SELECT max(id) AS id FROM history'),
    get: db.prepare('SELECT * FROM history WHERE key = ? AND id < ? ORDER BY id DESC LIMIT 1'),
    getId: db.prepare('SELECT id, deleted FROM history WHERE key = ? AND id < ? ORDER BY id DESC LIMIT 1'),
    valueAt: db.prepare('SELECT value FROM history WHERE key = ? AND id >= ? AND id < ?'),
    insert: db.prepare('INSERT INTO history (id, key, previous, deleted, value) VALUES (?, ?, ?, ?, ?)'),
    list: db.prepare(`SELECT history.* FROM (${latest}) JOIN history ON history.id = i WHERE NOT deleted ORDER BY key LIMIT ?`),
    count: db.prepare(`SELECT count(*) AS n FROM (${latest}) JOIN history ON history.id = i WHERE NOT deleted`),
    history: db.prepare('SELECT * FROM history WHERE id >= ? AND key >= ? AND key < ? ORDER BY id'),
    window: db.prepare('SELECT id FROM history WHERE id >= ? ORDER BY id LIMIT 1 OFFSET 2000'),
    // Each row names the version that it replaced, so compaction touches only what was written since the last one.
    dropSuperseded: db.prepare(`
      DELETE FROM history WHERE id IN (
        SELECT old.id FROM history AS row JOIN history AS old
          ON old.key = row.key AND old.id >= row.previous * ${rowsPerRevision} AND old.id < (row.previous + 1) * ${rowsPerRevision}
        WHERE row.id >= ? AND row.id < ? AND row.previous > 0)`),
    dropTombstones: db.prepare('DELETE FROM history WHERE id >= ? AND id < ? AND deleted'),
  };
}

/** The revision up to which the next 2,000 rows go, so that one step of compaction stays short. */
function nextWindow(statements: Statements, compacted: number, target: number): number {
  const row = statements.window.get(firstId(compacted + 1)) as { id: number } | undefined;
  return row === undefined ? target : Math.max(compacted + 1, revisionOf(row.id));
}

function toEvent(row: Row, valueAt: Statements['valueAt']): StoreEvent {
  const base = { key: row.key, revision: revisionOf(row.id), previousRevision: row.previous };
  if (!row.deleted) return { type: 'put', value: asBuffer(row.value), ...base };
  const old = valueAt.get(row.key, firstId(row.previous), firstId(row.previous + 1)) as { value: Uint8Array } | undefined;
  return { type: 'delete', value: old ? asBuffer(old.value) : Buffer.alloc(0), ...base };
}

function inTransaction<T>(db: DatabaseSync, run: () => { commits: T; done: () => void }): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const { commits, done } = run();
    db.exec('COMMIT');
    done();
    return commits;
  } catch (error) {
    // SQLite has rolled back by itself where the disk is full; a second roll-back says so and is not an error.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
