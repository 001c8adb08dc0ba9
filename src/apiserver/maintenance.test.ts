// What the server forgets by itself: events after an hour, history after five minutes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configmaps, events } from '#api/generated/resources.ts';
import { CompactedError } from '#store/store.ts';
import { startTestServer } from './server.fixture.ts';

test('an event goes an hour after it was written, a younger one stays', async () => {
  const { client, clock } = await startTestServer();
  const event = (name: string) => ({
    metadata: { name, namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
  });
  await client.create(events, event('old') as never);
  await clock.advance(30 * 60_000);
  await client.create(events, event('young') as never);
  await clock.advance(31 * 60_000);
  assert.deepEqual(
    (await client.list(events)).items.map(({ metadata }) => metadata.name),
    ['young'],
  );
});

test('the store keeps five minutes of history and forgets the rest', async () => {
  const { client, clock, store } = await startTestServer();
  const old = await client.create(configmaps, { metadata: { name: 'a', namespace: 'default' } });
  const oldRevision = Number(old.metadata.resourceVersion);
  await clock.advance(4 * 60_000);
  await client.create(configmaps, { metadata: { name: 'b', namespace: 'default' } });
  await store.list('', { revision: oldRevision });
  await clock.advance(8 * 60_000);
  await assert.rejects(store.list('', { revision: oldRevision }), CompactedError);
  assert.equal((await client.list(configmaps, { namespace: 'default' })).items.length, 2);
});
