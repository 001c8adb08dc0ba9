// The distributed engine: the Store contract over an etcd of any number of members, which belongs to this store alone.
import { connectEtcd } from './etcd-connection.ts';
import type { EtcdConnection, EtcdOptions } from './etcd-connection.ts';
import { orCompacted, rangeOf, toKeyValue } from './etcd-keys.ts';
import type { RequestOp } from './etcd-messages.ts';
import type { EtcdWatch } from './etcd-watch.ts';
import { watchEtcd } from './etcd-watch.ts';
import type { CommitResult, Compare, KeyValue, ListResult, Store, Write } from './store.ts';
import { CompactedError, StoreUnavailableError } from './store.ts';

/** Connects when it is first asked for something. */
export function openEtcdStore(options: EtcdOptions): Store {
  const connection = connectEtcd(options);
  const watches = new Set<EtcdWatch>();
  const commits = new Set<Promise<CommitResult>>();
  let closed = false;
  const checkOpen = () => {
    if (closed) throw new StoreUnavailableError('the store is closed');
  };

  return {
    async currentRevision() {
      checkOpen();
      const { header } = await connection.call('Range', { key: Buffer.from('/'), count_only: true });
      return header.revision;
    },
    async get(key, revision) {
      checkOpen();
      const { kvs } = await orCompacted(connection, connection.call('Range', { key: Buffer.from(key), revision: revision ?? 0 }));
      return kvs[0] && toKeyValue(kvs[0]);
    },
    async list(prefix, listed = {}) {
      checkOpen();
      return listAll(connection, prefix, listed);
    },
    async commit(transaction) {
      checkOpen();
      const running = commit(connection, transaction);
      commits.add(running);
      return running.finally(() => commits.delete(running));
    },
    watch(prefix, after, sink) {
      const watch = watchEtcd(connection, options.clock, {
        prefix,
        after,
        sink: {
          events: sink.events.bind(sink),
          ended(error) {
            watches.delete(watch);
            sink.ended(error);
          },
        },
      });
      watches.add(watch);
      if (closed) queueMicrotask(() => watch.end(new StoreUnavailableError('the store is closed')));
      return {
        close() {
          watches.delete(watch);
          watch.close();
        },
      };
    },
    async compact(revision) {
      checkOpen();
      try {
        await orCompacted(connection, connection.call('Compact', { revision }));
      } catch (error) {
        // Another server of the cluster was here first: what was asked for holds.
        if (!(error instanceof CompactedError)) throw error;
      }
    },
    async snapshot(file) {
      checkOpen();
      const { writeSnapshot } = await import('./sqlite-database.ts');
      const { revision, values } = await listAll(connection, '', {});
      writeSnapshot(file, revision, values);
      return revision;
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.allSettled(commits);
      for (const watch of [...watches]) watch.end(new StoreUnavailableError('the store is closed'));
      connection.close();
    },
  };
}

/** Keys asked for at a time, so that no answer is too large. */
const pageKeys = 2_000;

async function listAll(
  connection: EtcdConnection,
  prefix: string,
  { revision, after, limit }: { revision?: number; after?: string; limit?: number },
): Promise<ListResult> {
  const values: KeyValue[] = [];
  let at = revision ?? 0;
  for (;;) {
    const wanted = Math.min(pageKeys, (limit || Infinity) - values.length);
    const request = { ...rangeOf(prefix, values.at(-1)?.key ?? after), revision: at, limit: wanted };
    const page = await orCompacted(connection, connection.call('Range', request));
    // The first page settles the revision that the others are read at.
    at ||= page.header.revision;
    for (const found of page.kvs) values.push(toKeyValue(found));
    const remaining = page.count - page.kvs.length;
    if (remaining === 0 || values.length === limit) return { revision: at, values, remaining };
  }
}

async function commit(connection: EtcdConnection, { compare, writes }: { compare: Compare[]; writes: Write[] }): Promise<CommitResult> {
  const answer = await connection.call('Txn', {
    compare: compare.map(({ key, revision }) => ({ result: 'EQUAL', target: 'MOD', key: Buffer.from(key), mod_revision: revision })),
    success: nested(writes.map(operationOf)),
    failure: compare.map(({ key }) => ({ request_range: { key: Buffer.from(key) } })),
  });
  if (answer.succeeded) return { committed: true, revision: answer.header.revision };
  return { committed: false, current: answer.responses.flatMap(({ response_range: found }) => found?.kvs.map(toKeyValue) ?? []) };
}

function operationOf(write: Write): RequestOp {
  const key = Buffer.from(write.key);
  return 'delete' in write ? { request_delete_range: { key } } : { request_put: { key, value: write.value } };
}

/** An etcd with its default settings takes 128 operations a transaction, those of transactions inside it counted apart. */
const operationsPerLevel = 64;

function nested(operations: RequestOp[]): RequestOp[] {
  if (operations.length <= operationsPerLevel) return operations;
  const groups: RequestOp[] = [];
  for (let from = 0; from < operations.length; from += operationsPerLevel)
    groups.push({ request_txn: { success: operations.slice(from, from + operationsPerLevel) } });
  if (groups.length > operationsPerLevel) throw new RangeError(`a commit writes at most ${operationsPerLevel ** 2} keys`);
  return groups;
}
