// A cluster in this process on a durable store of its own: SQLite in a temporary folder.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '#store/sqlite.ts';
import { startSqliteThread } from '#store/sqlite-thread.ts';
import type { TestCluster } from '#testing/create-cluster.ts';
import { createCluster } from '#testing/create-cluster.ts';

export async function createSqliteCluster(): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'keks-bench-'));
  const thread = startSqliteThread();
  const store = await openSqliteStore(join(directory, 'store.db'), thread);
  const cluster = await createCluster({ nodes: 0, store });
  const stop = async () => {
    await cluster.stop();
    await store.close();
    await thread.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { ...cluster, stop, [Symbol.asyncDispose]: stop };
}
