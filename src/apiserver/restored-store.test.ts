// A server over a restored store: the snapshot's objects, and 410 for whoever remembers what came after it.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConfigMap } from '#api/generated/core-v1.ts';
import { configmaps } from '#api/generated/resources.ts';
import { isReason } from '#api/meta/errors.ts';
import { restoreSnapshot } from '#store/restore.ts';
import { startSqliteThread } from '#store/sqlite-thread.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { call, startTestServer } from './server.fixture.ts';

const configMap = (name: string): ConfigMap => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } });

test('after a restore clients that saw later revisions are told to list again, and then see the snapshot’s objects', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'keks-restored-'));
  const thread = startSqliteThread();
  t.after(async () => {
    await thread.close();
    await rm(folder, { recursive: true });
  });
  const [file, snapshot] = [join(folder, 'store.db'), join(folder, 'snapshot.db')];
  const before = await openSqliteStore(file, thread);
  const first = await startTestServer({ store: before });
  const kept = await first.client.create(configmaps, configMap('kept'));
  await before.snapshot(snapshot);
  const lost = await first.client.create(configmaps, configMap('lost'));
  await first.server.stop();
  await before.close();

  await restoreSnapshot({ snapshot, file });
  const store = await openSqliteStore(file, thread);
  const { server, client } = await startTestServer({ store });
  const resume = (resourceVersion: string) => client.watch(configmaps, { namespace: 'default', resourceVersion }, () => {}).done;
  for (const seen of [kept, lost]) assert(isReason(await resume(seen.metadata.resourceVersion!), 'Expired'));
  const exact = `resourceVersion=${lost.metadata.resourceVersion}&resourceVersionMatch=Exact`;
  assert.equal((await call(server, `/api/v1/namespaces/default/configmaps?${exact}`)).status, 410);
  const { items, metadata } = await client.list(configmaps, { namespace: 'default' });
  assert.deepEqual(items, [kept]);
  assert(Number(metadata.resourceVersion) > Number(lost.metadata.resourceVersion));
  const created = await client.create(configmaps, configMap('new'));
  assert(Number(created.metadata.resourceVersion) > Number(metadata.resourceVersion));
  await server.stop();
  await store.close();
});
