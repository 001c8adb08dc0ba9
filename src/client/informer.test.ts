// Informers against a client whose every answer the test decides: breaks, gaps and lost revisions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap } from '#api/generated/core-v1.ts';
import { configmaps } from '#api/generated/resources.ts';
import { expired } from '#api/meta/errors.ts';
import type { KubeList } from '#api/meta/object.ts';
import { freeze } from '#api/meta/object.ts';
import { silentLog } from '#lib/log.ts';
import { seededRandom } from '#lib/random.ts';
import { virtualClock } from '#lib/virtual-clock.ts';
import type { Client, WatchEvent, WatchOptions } from './client.ts';
import { createInformers } from './informer.ts';

const map = (name: string, resourceVersion: string, labels?: Record<string, string>, uid = `uid-${name}`): ConfigMap =>
  freeze({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', uid, resourceVersion, labels } });

/** A server by hand: what a list answers, and the watches that are open. */
function createServer() {
  const server = {
    items: [] as ConfigMap[],
    revision: '1',
    listError: undefined as Error | undefined,
    lists: 0,
    watches: [] as { from: string; send: (...events: WatchEvent<ConfigMap>[]) => void; end: (error?: Error) => void; isClosed: boolean }[],
  };
  const client = {
    async list(): Promise<KubeList<ConfigMap>> {
      server.lists++;
      if (server.listError) throw server.listError;
      return { metadata: { resourceVersion: server.revision }, items: server.items };
    },
    watch(_resource: unknown, options: WatchOptions, handler: (events: WatchEvent<ConfigMap>[]) => void) {
      const done = Promise.withResolvers<Error | undefined>();
      const watch = {
        from: options.resourceVersion!,
        send: (...events: WatchEvent<ConfigMap>[]) => handler(events),
        end: (error?: Error) => done.resolve(error),
        isClosed: false,
      };
      server.watches.push(watch);
      const close = () => {
        watch.isClosed = true;
        done.resolve(undefined);
      };
      return { done: done.promise, close };
    },
  } as unknown as Client;
  const clock = virtualClock();
  const informers = createInformers(client, { clock, random: seededRandom(1), log: silentLog });
  const informer = informers.informer(configmaps);
  const told: string[] = [];
  informer.addHandlers({
    added: ({ metadata }) => told.push(`+${metadata.name}@${metadata.resourceVersion}`),
    updated: (old, { metadata }) => told.push(`${metadata.name}@${old.metadata.resourceVersion}>${metadata.resourceVersion}`),
    deleted: ({ metadata }) => told.push(`-${metadata.name}@${metadata.resourceVersion}`),
  });
  return { ...server, server, clock, informers, informer, told };
}

test('the cache holds the very objects that the client returned, and handlers hear of each in order', async () => {
  const { server, clock, informers, informer, told } = createServer();
  const a = map('a', '1');
  server.items = [a];
  informers.start();
  await informer.synced;
  await clock.advance(0);
  const b = map('b', '2');
  server.watches[0]!.send(
    { type: 'ADDED', object: b },
    { type: 'MODIFIED', object: map('a', '3') },
    { type: 'DELETED', object: map('b', '4') },
  );
  assert.deepEqual(told, ['+a@1', '+b@2', 'a@1>3', '-b@4']);
  assert.equal(informer.get('default/b'), undefined);
  assert.notEqual(informer.get('default/a'), a);
  informers.stop();
});

test('a watch that ends is resumed from the last revision, bookmarks included, without listing again', async () => {
  const { server, clock, informers, informer } = createServer();
  informers.start();
  await informer.synced;
  await clock.advance(0);
  server.watches[0]!.send({ type: 'ADDED', object: map('a', '5') }, { type: 'BOOKMARK', resourceVersion: '9', initial: false });
  server.watches[0]!.end();
  await clock.advance(0);
  assert.equal(server.watches[1]!.from, '9');
  server.watches[1]!.send({ type: 'ADDED', object: map('b', '11') });
  server.watches[1]!.end(new Error('connection reset'));
  await clock.advance(5_000);
  assert.deepEqual([server.watches[2]!.from, server.lists], ['11', 1]);
  informers.stop();
});

test('an expired revision leads to a new list, whose differences are told as events', async () => {
  const { server, clock, informers, informer, told } = createServer();
  server.items = [map('same', '1'), map('changed', '1'), map('gone', '1'), map('replaced', '1')];
  informers.start();
  await informer.synced;
  await clock.advance(0);
  told.length = 0;
  server.items = [map('same', '1'), map('changed', '7'), map('new', '8'), map('replaced', '9', {}, 'another')];
  server.revision = '9';
  server.watches[0]!.end(expired('too old resource version'));
  await clock.advance(5_000);
  assert.deepEqual(told, ['changed@1>7', '+new@8', '-replaced@1', '+replaced@9', '-gone@1']);
  assert.equal(server.watches[1]!.from, '9');
  informers.stop();
});

test('a server that fails is asked again after a while, later each time, until it answers', async () => {
  const { server, clock, informers, informer } = createServer();
  server.listError = new Error('connection refused');
  informers.start();
  await clock.advance(60_000);
  assert.ok(server.lists > 3 && server.lists < 12, `${server.lists} lists in a minute`);
  assert.equal(informer.hasSynced, false);
  server.listError = undefined;
  await clock.advance(60_000);
  assert.equal(informer.hasSynced, true);
  informers.stop();
});

test('indexes follow the objects, and the same informer is shared by all who ask for the same selection', async () => {
  const { server, clock, informers, informer } = createServer();
  const byApp = ({ metadata }: ConfigMap) => (metadata.labels?.['app'] ? [metadata.labels['app']] : []);
  server.items = [map('a', '1', { app: 'x' }), map('b', '1', { app: 'y' })];
  informers.start();
  await informer.synced;
  await clock.advance(0);
  informer.addIndex('app', byApp);
  informer.addIndex('app', byApp);
  assert.throws(() => informer.addIndex('app', () => []), /another index is named app/);
  server.watches[0]!.send(
    { type: 'MODIFIED', object: map('a', '2', { app: 'y' }) },
    { type: 'DELETED', object: map('b', '3', { app: 'y' }) },
  );
  assert.deepEqual(informer.byIndex('app', 'x'), []);
  assert.deepEqual(
    informer.byIndex('app', 'y').map(({ metadata }) => metadata.name),
    ['a'],
  );
  assert.equal(informers.informer(configmaps), informer);
  assert.notEqual(informers.informer(configmaps, { namespace: 'other' }), informer);
  informers.stop();
});

test('a handler that comes late is told of what is there; one that was taken off hears nothing more', async () => {
  const { server, clock, informers, informer } = createServer();
  server.items = [map('a', '1')];
  informers.start();
  await informer.synced;
  await clock.advance(0);
  const late: string[] = [];
  const remove = informer.addHandlers({ added: ({ metadata }) => late.push(metadata.name!) });
  remove();
  server.watches[0]!.send({ type: 'ADDED', object: map('b', '2') });
  assert.deepEqual(late, ['a']);
  informers.stop();
});

test('stopping closes the watch and leaves no timer', async () => {
  const { server, clock, informers, informer, told } = createServer();
  informers.start();
  await informer.synced;
  await clock.advance(0);
  informers.stop();
  await clock.advance(60_000);
  assert.equal(server.watches[0]!.isClosed, true);
  server.watches[0]!.send({ type: 'ADDED', object: map('late', '2') });
  assert.deepEqual([told, server.watches.length, clock.pending], [[], 1, 0]);
  const unsynced = createServer();
  unsynced.informers.stop();
  await assert.rejects(unsynced.informer.synced, /stopped/);
});
