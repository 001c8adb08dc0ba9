// The embedded durable engine: SQLite in a worker thread. Commits that arrive while one is being written go together into the next.
import type { CommitResult, Compare, KeyValue, Store, StoreEvent, Write } from './store.ts';
import { CompactedError, StoreUnavailableError } from './store.ts';
import type { FileLimits } from './sqlite-database.ts';
import type { SqliteThread } from './sqlite-thread.ts';
import type { CommitAnswer, PackedKeyValues } from './sqlite-worker.ts';
import type { WatchHub } from './watch-hub.ts';
import { createWatchHub } from './watch-hub.ts';
import { pack, unpack } from './packed.ts';

/** Beyond this many commits waiting for the disk, further ones are refused. */
const maxWaiting = 20_000;
/** One durable commit of the file takes at most this many of them. */
const maxTogether = 1_000;

interface PendingCommit {
  compare: Compare[];
  writes: Write[];
  resolve: (result: CommitResult) => void;
  reject: (error: Error) => void;
}

/** Opens or creates the store in `file`. The thread may serve any number of stores; it outlives them. */
export async function openSqliteStore(file: string, thread: SqliteThread, limits: FileLimits = {}): Promise<Store> {
  const opened = await thread.call(0, 'open', { file, limits });
  const { database } = opened;
  const hub = createWatchHub();
  let revision = opened.revision;
  let compacted = opened.compacted;
  let closed = false;

  const committer = createCommitter(thread, database, hub, (committed) => {
    revision = committed;
  });
  const checkOpen = () => {
    if (closed) throw new StoreUnavailableError('the store is closed');
  };

  return {
    async currentRevision() {
      checkOpen();
      return revision;
    },
    async get(key, asked) {
      checkOpen();
      return unpackKeyValues(await thread.call(database, 'get', { key, ...(asked !== undefined && { revision: asked }) }))[0];
    },
    async list(prefix, options = {}) {
      checkOpen();
      const answer = await thread.call(database, 'list', { prefix, ...options });
      return { revision: answer.revision, values: unpackKeyValues(answer), remaining: answer.remaining };
    },
    async commit(transaction) {
      checkOpen();
      return committer.commit(transaction);
    },
    watch(prefix, after, sink) {
      if (after < compacted) return hub.add(prefix, sink, Promise.reject(new CompactedError(compacted)));
      if (after >= revision) return hub.add(prefix, sink);
      return hub.add(prefix, sink, readHistory(thread, database, prefix, after));
    },
    async compact(through) {
      checkOpen();
      await thread.call(database, 'compact', { revision: through });
      compacted = Math.max(compacted, through);
    },
    async snapshot(target) {
      checkOpen();
      return thread.call(database, 'snapshot', { file: target });
    },
    async close() {
      if (closed) return;
      closed = true;
      await committer.idle();
      hub.end(new StoreUnavailableError('the store is closed'));
      await thread.call(database, 'close', {});
    },
  };
}

function createCommitter(thread: SqliteThread, database: number, hub: WatchHub, advance: (revision: number) => void) {
  let waiting: PendingCommit[] = [];
  let running: Promise<void> | undefined;

  const run = async () => {
    // One turn of the event loop, so that writers who woke together are written together.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxTogether);
      waiting = waiting.slice(maxTogether);
      try {
        const answer = await writeBatch(thread, database, batch);
        settleBatch(batch, answer, hub, advance);
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    }
    running = undefined;
  };

  return {
    commit({ compare, writes }: { compare: Compare[]; writes: Write[] }): Promise<CommitResult> {
      if (waiting.length >= maxWaiting) throw new StoreUnavailableError(`${maxWaiting} commits are waiting for the disk`);
      return new Promise((resolve, reject) => {
        waiting.push({ compare, writes, resolve, reject });
        running ??= run();
      });
    },
    async idle() {
      await running;
    },
  };
}

function writeBatch(thread: SqliteThread, database: number, batch: readonly PendingCommit[]): Promise<CommitAnswer> {
  const values = pack(batch.flatMap(({ writes }) => writes.map((write) => ('delete' in write ? undefined : write.value))));
  const transactions = batch.map(({ compare, writes }) => ({ compare, keys: writes.map(({ key }) => key) }));
  return thread.call(database, 'commit', { transactions, values }, [values.bytes]);
}

/** Watches hear of all that was committed before the first writer is answered. */
function settleBatch(batch: readonly PendingCommit[], answer: CommitAnswer, hub: WatchHub, advance: (revision: number) => void): void {
  const deleted = unpack(answer.deleted);
  const events: StoreEvent[] = [];
  for (const [position, { writes }] of batch.entries()) {
    const revision = answer.revisions[position];
    if (revision === undefined) continue;
    advance(revision);
    for (const { index, previousRevision } of answer.events[position]!) {
      const write = writes[index]!;
      const old = deleted[events.length];
      if ('delete' in write) events.push({ type: 'delete', key: write.key, value: old!, revision, previousRevision });
      else events.push({ type: 'put', key: write.key, value: write.value, revision, previousRevision });
    }
  }
  if (events.length > 0) hub.deliver(events);
  let refused = 0;
  for (const [position, { resolve }] of batch.entries()) {
    const revision = answer.revisions[position];
    if (revision !== undefined) resolve({ committed: true, revision });
    else resolve({ committed: false, current: unpackKeyValues(answer.refused[refused++]!) });
  }
}

async function readHistory(thread: SqliteThread, database: number, prefix: string, after: number) {
  const { events, values, through } = await thread.call(database, 'history', { prefix, after });
  const bytes = unpack(values);
  return { events: events.map((event, position) => ({ ...event, value: bytes[position]! })), through };
}

function unpackKeyValues({ keys, revisions, values }: PackedKeyValues): KeyValue[] {
  const bytes = unpack(values);
  return keys.map((key, position) => ({ key, value: bytes[position]!, revision: revisions[position]! }));
}
