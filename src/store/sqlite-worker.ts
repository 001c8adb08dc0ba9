// The thread that owns SQLite files: it answers one message after the other, so an fsync never stalls the event loop.
import { parentPort } from 'node:worker_threads';
import { CompactedError, DamagedStoreError, FutureRevisionError, StoreUnavailableError } from './store.ts';
import type { Compare, KeyValue, StoreEvent } from './store.ts';
import { openSqliteDatabase } from './sqlite-database.ts';
import type { FileLimits, SqliteDatabase } from './sqlite-database.ts';
import type { Packed } from './packed.ts';
import { pack, unpack } from './packed.ts';

export interface PackedKeyValues {
  keys: string[];
  revisions: number[];
  values: Packed;
}

/** Every operation: its arguments and its answer. */
export interface Operations {
  open: { ask: { file: string; limits: FileLimits }; answer: { database: number; revision: number; compacted: number } };
  get: { ask: { key: string; revision?: number }; answer: PackedKeyValues };
  list: {
    ask: { prefix: string; revision?: number; after?: string; limit?: number };
    answer: PackedKeyValues & { revision: number; remaining: number };
  };
  commit: { ask: { transactions: { compare: Compare[]; keys: string[] }[]; values: Packed }; answer: CommitAnswer };
  history: { ask: { prefix: string; after: number }; answer: { events: Omit<StoreEvent, 'value'>[]; values: Packed; through: number } };
  compact: { ask: { revision: number }; answer: undefined };
  snapshot: { ask: { file: string }; answer: number };
  close: { ask: Record<string, never>; answer: undefined };
}

export interface CommitAnswer {
  /** The revision of each transaction; undefined where its compares did not hold, with the current values in `refused`. */
  revisions: (number | undefined)[];
  refused: PackedKeyValues[];
  events: { index: number; previousRevision: number }[][];
  /** One for each event: the deleted value, or undefined for a put. */
  deleted: Packed;
}

export interface Message {
  id: number;
  database: number;
  operation: keyof Operations;
  ask: unknown;
}

export type Reply = { id: number; answer: unknown } | { id: number; error: { name: string; message: string; compactedRevision?: number } };

type Handlers = { [Name in keyof Operations]: (database: SqliteDatabase, ask: Operations[Name]['ask']) => Operations[Name]['answer'] };

const packKeyValues = (values: readonly KeyValue[]): PackedKeyValues => ({
  keys: values.map(({ key }) => key),
  revisions: values.map(({ revision }) => revision),
  values: pack(values.map(({ value }) => value)),
});

const handlers: Omit<Handlers, 'open'> = {
  get(database, { key, revision }) {
    const found = database.get(key, revision);
    return packKeyValues(found ? [found] : []);
  },
  list(database, { prefix, ...options }) {
    const { revision, values, remaining } = database.list(prefix, options);
    return { ...packKeyValues(values), revision, remaining };
  },
  commit(database, { transactions, values }) {
    const bytes = unpack(values);
    let next = 0;
    const commits = database.commitAll(
      transactions.map(({ compare, keys }) => ({ compare, writes: keys.map((key) => ({ key, value: bytes[next++] })) })),
    );
    return {
      revisions: commits.map(({ result }) => (result.committed ? result.revision : undefined)),
      refused: commits.filter(({ result }) => !result.committed).map(({ result }) => packKeyValues(result.committed ? [] : result.current)),
      events: commits.map(({ events }) => events.map(({ index, previousRevision }) => ({ index, previousRevision }))),
      deleted: pack(commits.flatMap(({ events }) => events.map((event) => event.deletedValue))),
    };
  },
  history(database, { prefix, after }) {
    const { events, through } = database.history(prefix, after);
    return {
      events: events.map(({ type, key, revision, previousRevision }) => ({ type, key, revision, previousRevision })),
      values: pack(events.map(({ value }) => value)),
      through,
    };
  },
  compact: (database, { revision }) => void database.compact(revision),
  snapshot: (database, { file }) => database.snapshot(file),
  close: (database) => void database.close(),
};

function serve(port: NonNullable<typeof parentPort>): void {
  const databases = new Map<number, SqliteDatabase>();
  let opened = 0;
  const answer = ({ database: handle, operation, ask }: Message): unknown => {
    if (operation === 'open') {
      const { file, limits } = ask as Operations['open']['ask'];
      const database = openSqliteDatabase(file, limits);
      databases.set(++opened, database);
      return { database: opened, revision: database.revision, compacted: database.compacted };
    }
    const database = databases.get(handle);
    if (database === undefined) throw new StoreUnavailableError('the store is closed');
    if (operation === 'close') databases.delete(handle);
    return (handlers[operation] as (database: SqliteDatabase, ask: unknown) => unknown)(database, ask);
  };
  port.on('message', (message: Message) => {
    let reply: Reply;
    try {
      reply = { id: message.id, answer: answer(message) };
    } catch (error) {
      reply = { id: message.id, error: describe(error as Error & { errcode?: number }) };
    }
    port.postMessage(reply);
  });
}

/** By SQLite's primary error codes: SQLITE_FULL, SQLITE_IOERR, SQLITE_CORRUPT. */
const sqliteMessages: Readonly<Record<number, string>> = {
  13: 'the disk is full: nothing can be written until there is space',
  10: 'the disk failed to read or write the store',
  11: 'the store is damaged: restore a snapshot in its place',
};

/** SQLite's own failures (disk full, I/O error) mean that the store cannot write now; ours keep their names. */
function describe(error: Error & { errcode?: number }): { name: string; message: string; compactedRevision?: number } {
  if (error instanceof CompactedError) return { name: error.name, message: error.message, compactedRevision: error.compactedRevision };
  if (error instanceof FutureRevisionError) return { name: error.name, message: error.message };
  if (error instanceof StoreUnavailableError || error instanceof DamagedStoreError) return { name: error.name, message: error.message };
  if (error.errcode !== undefined) return { name: 'StoreUnavailableError', message: sqliteMessages[error.errcode & 0xff] ?? error.message };
  return { name: error.name, message: error.stack ?? error.message };
}

if (parentPort !== null) serve(parentPort);
