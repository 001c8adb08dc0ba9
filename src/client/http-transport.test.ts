// The client over a real TLS port of a real API server: the same answers as within the process.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ConfigMap } from '#api/generated/core-v1.ts';
import { configmaps, namespaces, pods } from '#api/generated/resources.ts';
import { ApiError, isConflict, isNotFound } from '#api/meta/errors.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { startTestCluster } from '#root/test/support/controllers-cluster.ts';
import { createAuthority, issueServing } from '#lib/certificates.ts';
import { systemClock } from '#lib/clock.ts';
import type { HttpServer } from '#lib/http/server.ts';
import { serveTls } from '#lib/http/server.ts';
import { silentLog } from '#lib/log.ts';
import { systemRandom } from '#lib/random.ts';
import type { WatchEvent } from './client.ts';
import type { HttpClient } from './http-transport.ts';
import { createHttpClient } from './http-transport.ts';
import { createInformers } from './informer.ts';

let cluster: TestCluster;
let http: HttpServer;
let client: HttpClient;
let ca: string;

before(async () => {
  cluster = await startTestCluster([]);
  const issuing = { clock: systemClock, random: systemRandom };
  const authority = await createAuthority({ ...issuing, commonName: 'test' });
  const pair = await issueServing(authority, { ...issuing, commonName: 'server', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  ca = authority.certificate;
  http = await serveTls({ handler: cluster.handle, host: '127.0.0.1', port: 0, log: silentLog, key: pair.key, cert: pair.certificate });
  client = createHttpClient({ server: `https://127.0.0.1:${http.port}`, ca, token: 'any', clock: systemClock });
});
after(async () => {
  client.close();
  await http.close(0);
  await cluster.stop();
});

const map = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', labels: { made: 'here' } },
  data,
});

test('an object is created, read, updated, patched in each way and deleted', async () => {
  const created = await client.create(configmaps, map('one', { a: '1' }));
  assert.ok(Object.isFrozen(created.metadata));
  const ref = { namespace: 'default', name: 'one' };
  assert.deepEqual((await client.get(configmaps, ref)).data, { a: '1' });
  const updated = await client.update(configmaps, { ...created, data: { a: '2' } });
  await assert.rejects(client.update(configmaps, { ...created, data: { a: '3' } }), isConflict);
  assert.notEqual(updated.metadata.resourceVersion, created.metadata.resourceVersion);
  await client.patch(configmaps, ref, { type: 'merge', body: { data: { b: 'x' } } });
  await client.patch(configmaps, ref, { type: 'strategic', body: { data: { c: 'y' } } });
  const patched = await client.patch(configmaps, ref, { type: 'json', body: [{ op: 'remove', path: '/data/a' }] });
  assert.deepEqual(patched.data, { b: 'x', c: 'y' });
  await client.delete(configmaps, ref, { preconditions: { uid: created.metadata.uid } });
  await assert.rejects(
    client.get(configmaps, ref),
    (error) => isNotFound(error) && (error as ApiError).message === 'configmaps "one" not found',
  );
});

test('items of a list carry their kind, and selectors are honoured', async () => {
  await client.create(configmaps, map('listed'));
  const list = await client.list(configmaps, { namespace: 'default', labelSelector: 'made=here' });
  assert.deepEqual(
    list.items.map(({ kind, apiVersion, metadata }) => [kind, apiVersion, metadata.name]),
    [['ConfigMap', 'v1', 'listed']],
  );
  assert.deepEqual((await client.list(pods, { namespace: 'default' })).items, []);
  await client.deleteCollection(configmaps, { namespace: 'default', labelSelector: 'made=here' });
  assert.deepEqual((await client.list(configmaps, { namespace: 'default' })).items, []);
});

test('a watch hands over what happens, in order, until it is closed', async () => {
  const { resourceVersion } = (await client.list(configmaps)).metadata;
  const seen: string[] = [];
  const enough = Promise.withResolvers<void>();
  const handle = client.watch(configmaps, { namespace: 'default', resourceVersion }, (events: WatchEvent<ConfigMap>[]) => {
    for (const event of events)
      if (event.type !== 'BOOKMARK') seen.push(`${event.type} ${event.object.metadata.name} ${event.object.data?.['text'] ?? ''}`);
    if (seen.length >= 3) enough.resolve();
  });
  // Longer than a frame, and not in ASCII: characters are cut apart on the way.
  const text = 'ü€'.repeat(20_000);
  await client.create(configmaps, map('seen', { text }));
  await client.patch(configmaps, { namespace: 'default', name: 'seen' }, { type: 'merge', body: { data: { text: 'short' } } });
  await client.delete(configmaps, { namespace: 'default', name: 'seen' });
  await enough.promise;
  assert.deepEqual(seen, [`ADDED seen ${text}`, 'MODIFIED seen short', 'DELETED seen short']);
  handle.close();
  assert.equal(await handle.done, undefined);
});

test('a watch that the server refuses ends with the error it gave', async () => {
  const handle = client.watch(configmaps, { resourceVersion: 'nonsense' }, () => undefined);
  const error = await handle.done;
  assert.ok(error instanceof ApiError, String(error));
  assert.ok(error.code >= 400);
});

test('an informer works over the network as within the process', async () => {
  const informers = createInformers(client, { clock: systemClock, random: systemRandom, log: silentLog });
  const informer = informers.informer(namespaces);
  const added = Promise.withResolvers<string>();
  informers.start();
  await informer.synced;
  informer.addHandlers({ added: ({ metadata }) => metadata.name === 'fresh' && added.resolve(metadata.uid!) });
  const created = await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fresh' }, spec: {} });
  assert.equal(await added.promise, created.metadata.uid);
  assert.equal(informer.get('fresh')?.kind, 'Namespace');
  informers.stop();
});

test('more watches than one connection carries do not hold up requests', async () => {
  const handles = Array.from({ length: 200 }, () => client.watch(configmaps, { namespace: 'default' }, () => undefined));
  await client.create(configmaps, map('busy'));
  assert.equal((await client.get(configmaps, { namespace: 'default', name: 'busy' })).metadata.name, 'busy');
  for (const handle of handles) handle.close();
});

test('a server that is not there, or that is not trusted, is a clear error and not a hang', async () => {
  const nobody = createHttpClient({ server: 'https://127.0.0.1:1', ca, clock: systemClock });
  await assert.rejects(nobody.getPath('/version'), /GET https:\/\/127\.0\.0\.1:1\/version: .*ECONNREFUSED/);
  nobody.close();
  const distrustful = createHttpClient({ server: `https://127.0.0.1:${http.port}`, clock: systemClock });
  await assert.rejects(distrustful.getPath('/version'), /certificate/);
  distrustful.close();
});
