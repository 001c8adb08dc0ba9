// Lists and watches: what revision they show, how they go on, and what happens when history is gone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, Pod } from '#api/generated/core-v1.ts';
import { configmaps, pods } from '#api/generated/resources.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import type { Client, WatchEvent, WatchOptions } from '#client/client.ts';
import { createMemoryStore } from '#store/memory.ts';
import { startTestServer } from '../server.fixture.ts';

const make = (client: Client, name: string, labels: Record<string, string> = {}): Promise<ConfigMap> =>
  client.create(configmaps, { metadata: { name, namespace: 'default', labels } });
const namesOf = (list: { items: KubeObject[] }) => list.items.map(({ metadata }) => metadata.name);

/** What a watch says, as short lines. */
function record<T extends KubeObject>(client: Client, type: ResourceType<T>, options: WatchOptions = {}) {
  const lines: string[] = [];
  const handle = client.watch(type, options, (events: WatchEvent<T>[]) => {
    for (const event of events) {
      if (event.type === 'BOOKMARK') lines.push(event.initial ? 'BOOKMARK initial' : 'BOOKMARK');
      else lines.push(`${event.type} ${event.object.metadata.name}`);
    }
  });
  return { lines, handle, opened: new Promise((resolve) => setImmediate(resolve)) };
}

test('a list is in key order over namespaces and selects by label and field', async () => {
  const { client } = await startTestServer();
  for (const name of ['b', 'a', 'a-1', 'c']) await make(client, name, { tier: name === 'c' ? 'back' : 'front' });
  assert.deepEqual(namesOf(await client.list(configmaps, { namespace: 'default' })), ['a', 'a-1', 'b', 'c']);
  assert.deepEqual(namesOf(await client.list(configmaps, { labelSelector: 'tier in (back)' })), ['c']);
  assert.deepEqual(namesOf(await client.list(configmaps, { fieldSelector: 'metadata.name=b' })), ['b']);
  assert.deepEqual(namesOf(await client.list(configmaps, { fieldSelector: 'metadata.name!=b', labelSelector: 'tier=front' })), [
    'a',
    'a-1',
  ]);
});

test('pages show one revision while writes go on', async () => {
  const { client } = await startTestServer();
  for (const name of ['a', 'b', 'c', 'd', 'e']) await make(client, name);
  const first = await client.list(configmaps, { namespace: 'default', limit: 2 });
  assert.deepEqual([namesOf(first), first.metadata.remainingItemCount], [['a', 'b'], 3]);
  await client.delete(configmaps, { namespace: 'default', name: 'c' });
  await make(client, 'c-new');
  const second = await client.list(configmaps, { namespace: 'default', limit: 2, continue: first.metadata.continue! });
  const third = await client.list(configmaps, { namespace: 'default', limit: 2, continue: second.metadata.continue! });
  assert.deepEqual([namesOf(second), namesOf(third)], [['c', 'd'], ['e']]);
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  assert.equal(third.metadata.continue, undefined);
});

test('a list at a revision shows that revision, from the window or from the store, until it is compacted', async () => {
  const store = createMemoryStore();
  const { client } = await startTestServer({ store });
  const a = await make(client, 'a');
  await make(client, 'b');
  await client.delete(configmaps, { namespace: 'default', name: 'a' });
  const exact = { resourceVersion: a.metadata.resourceVersion!, resourceVersionMatch: 'Exact' as const };
  assert.deepEqual(namesOf(await client.list(configmaps, exact)), ['a']);
  // Another server that started later knows this revision from the store's history only.
  const later = await startTestServer({ store });
  assert.deepEqual(namesOf(await later.client.list(configmaps, exact)), ['a']);
  await store.compact(later.server.revision);
  const compacted = await startTestServer({ store });
  await assert.rejects(compacted.client.list(configmaps, exact), /The resourceVersion for the provided list is too old/);
});

test('an expired continue token is 410 and offers an inconsistent one', async () => {
  const store = createMemoryStore();
  const { client } = await startTestServer({ store });
  for (const name of ['a', 'b', 'c']) await make(client, name);
  const first = await client.list(configmaps, { namespace: 'default', limit: 1 });
  await client.delete(configmaps, { namespace: 'default', name: 'b' });
  await store.compact(await store.currentRevision());
  const later = await startTestServer({ store });
  const error = await later.client.list(configmaps, { namespace: 'default', limit: 1, continue: first.metadata.continue! }).catch((e) => e);
  assert.equal(error.code, 410);
  const token = error.status.metadata.continue as string;
  assert.deepEqual(namesOf(await later.client.list(configmaps, { namespace: 'default', continue: token })), ['c']);
});

test('a revision from the future is waited for, and refused after three seconds', async () => {
  const { client, clock, server } = await startTestServer();
  const soon = client.list(configmaps, { namespace: 'default', resourceVersion: String(server.revision + 1) });
  await make(client, 'a');
  assert.deepEqual(namesOf(await soon), ['a']);
  const refused = assert.rejects(
    client.list(configmaps, { resourceVersion: '99999' }),
    (error: Error & { code: number }) =>
      error.code === 504 && error.message === `Too large resource version: 99999, current: ${server.revision}`,
  );
  await clock.advance(3_000);
  await refused;
});

test('options that contradict each other are refused in upstream’s words', async () => {
  const { client } = await startTestServer();
  const refusal = async (options: object) => ((await client.list(configmaps, options).catch((error) => error)) as Error).message;
  assert.equal(
    await refusal({ resourceVersionMatch: 'Exact' }),
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  );
  assert.match(await refusal({ resourceVersionMatch: 'Exact', resourceVersion: '0' }), /"exact" is forbidden for resourceVersion "0"/);
  assert.match(await refusal({ continue: '???' }), /continue key is not valid/);
  assert.equal(
    await refusal({ fieldSelector: 'spec.x=1' }),
    '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  );
});

test('a watch tells what was there, what comes, and what leaves its selection', async () => {
  const { client } = await startTestServer();
  await make(client, 'a', { in: 'yes' });
  const { lines, opened } = record(client, configmaps, { namespace: 'default', labelSelector: 'in=yes' });
  await opened;
  const b = await make(client, 'b');
  const entered = await client.update(configmaps, { ...b, metadata: { ...b.metadata, labels: { in: 'yes' } } });
  const changed = await client.update(configmaps, { ...entered, data: { k: 'v' } });
  await client.update(configmaps, { ...changed, metadata: { ...changed.metadata, labels: { in: 'no' } } });
  await client.delete(configmaps, { namespace: 'default', name: 'a' });
  assert.deepEqual(lines, ['ADDED a', 'ADDED b', 'MODIFIED b', 'DELETED b', 'DELETED a']);
});

test('a deleted object is told with the revision of its deletion', async () => {
  const { client, server } = await startTestServer();
  const created = await make(client, 'a');
  const versions: string[] = [];
  client.watch(configmaps, { resourceVersion: created.metadata.resourceVersion! }, (events) => {
    for (const event of events) if (event.type === 'DELETED') versions.push(event.object.metadata.resourceVersion!);
  });
  await client.delete(configmaps, { namespace: 'default', name: 'a' });
  assert.deepEqual(versions, [String(server.revision)]);
});

test('a watch resumes behind the revision it names, also on a server that started later', async () => {
  const store = createMemoryStore();
  const { client } = await startTestServer({ store });
  const a = await make(client, 'a');
  await make(client, 'b');
  await client.delete(configmaps, { namespace: 'default', name: 'a' });
  const later = await startTestServer({ store });
  for (const each of [client, later.client]) {
    const { lines, opened } = record(each, configmaps, { resourceVersion: a.metadata.resourceVersion! });
    await opened;
    assert.deepEqual(lines, ['ADDED b', 'DELETED a']);
  }
});

test('a watch from a forgotten revision ends as Expired', async () => {
  const { client, clock } = await startTestServer();
  const a = await make(client, 'a');
  await make(client, 'b');
  await clock.advance(12 * 60_000);
  await make(client, 'c');
  const error = await record(client, configmaps, { resourceVersion: a.metadata.resourceVersion! }).handle.done;
  assert.match(error!.message, /^too old resource version: \d+ \(\d+\)$/);
});

test('sendInitialEvents tells the state, marks its end, and goes on', async () => {
  const { client } = await startTestServer();
  await make(client, 'a');
  const options = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true } as const;
  const { lines, opened } = record(client, configmaps, { namespace: 'default', ...options });
  await opened;
  await make(client, 'b');
  assert.deepEqual(lines, ['ADDED a', 'BOOKMARK initial', 'ADDED b']);
});

test('bookmarks come about every minute, and the time limit ends the watch', async () => {
  const { client, clock } = await startTestServer();
  const { lines, handle, opened } = record(client, configmaps, { allowWatchBookmarks: true, timeoutSeconds: 100 });
  await opened;
  await clock.advance(101_000);
  assert.deepEqual(lines, ['BOOKMARK', 'BOOKMARK']);
  assert.equal(await handle.done, undefined);
});

test('a kubelet sees the pods of its own node come and go', async () => {
  const { client } = await startTestServer();
  const { lines, opened } = record(client, pods, { fieldSelector: 'spec.nodeName=n1' });
  await opened;
  for (const name of ['a', 'b']) {
    const pod: Pod = { metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'main', image: 'nginx' }] } };
    await client.create(pods, pod);
    const binding = { metadata: { name }, target: { kind: 'Node', name: name === 'a' ? 'n1' : 'n2' } };
    await client.create(pods as never, binding as never, { subresource: 'binding' }, { namespace: 'default', name });
  }
  await client.delete(pods, { namespace: 'default', name: 'a' }, { gracePeriodSeconds: 0 });
  assert.deepEqual(lines, ['ADDED a', 'DELETED a']);
  assert.deepEqual(namesOf(await client.list(pods, { fieldSelector: 'spec.nodeName=n2' })), ['b']);
  assert.deepEqual(namesOf(await client.list(pods, { fieldSelector: 'spec.nodeName=n1' })), []);
});

test('a handler that writes while it is told sees its own write after what it was told', async () => {
  const { client } = await startTestServer();
  const lines: string[] = [];
  let wrote: Promise<unknown> | undefined;
  client.watch(configmaps, { namespace: 'default' }, (events) => {
    for (const event of events) if (event.type !== 'BOOKMARK') lines.push(event.object.metadata.name!);
    wrote ??= make(client, 'second');
  });
  await new Promise((resolve) => setImmediate(resolve));
  await make(client, 'first');
  await wrote;
  assert.deepEqual(lines, ['first', 'second']);
});

test('a restarted server finds everything as it was', async () => {
  const store = createMemoryStore();
  const first = await startTestServer({ store });
  const created = await make(first.client, 'a', { k: 'v' });
  await first.server.stop();
  const second = await startTestServer({ store });
  assert.deepEqual(await second.client.get(configmaps, { namespace: 'default', name: 'a' }), created);
});
