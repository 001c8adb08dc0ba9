// Three real etcd members: one is killed under load, two are killed, and they come back. Also TLS, and etcd's own snapshots.
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createAuthority, issueClient, issueServing } from '#lib/certificates.ts';
import { systemClock } from '#lib/clock.ts';
import { run } from '#lib/command.ts';
import { systemRandom } from '#lib/random.ts';
import { etcdIsMissing, etcdLeader, etcdProgram, startEtcd, untilEtcdAnswers } from '#root/test/support/etcd.ts';
import { saveEtcdSnapshot } from './etcd-snapshot.ts';
import { openEtcdStore } from './etcd.ts';
import { openSqliteStore } from './sqlite.ts';
import { startSqliteThread } from './sqlite-thread.ts';
import type { Store, StoreEvent } from './store.ts';
import { StoreUnavailableError, UnknownOutcomeError } from './store.ts';

const clock = systemClock;
const skip = await etcdIsMissing();

/** Acknowledged and uncertain writes of writers that go on until they are stopped. */
function startWriters(stores: readonly Store[], count: number) {
  const acknowledged = new Map<string, { value: string; revision: number }>();
  const uncertain = new Set<string>();
  let stopped = false;
  const progress = { beyond: Infinity, reached: () => {} };
  const writer = async (number: number) => {
    const store = stores[number % stores.length]!;
    for (let i = 0; !stopped; i++) {
      const [key, value] = [`/w${number}/${i}`, `${number}.${i}`];
      try {
        const result = await store.commit({ compare: [{ key, revision: 0 }], writes: [{ key, value: Buffer.from(value) }] });
        assert(result.committed, `${key} existed before its only write`);
        acknowledged.set(key, { value, revision: result.revision });
        if (acknowledged.size >= progress.beyond) progress.reached();
      } catch (error) {
        if (error instanceof UnknownOutcomeError) uncertain.add(key);
        else assert(error instanceof StoreUnavailableError, String(error));
      }
    }
  };
  const writers = Array.from({ length: count }, (_, number) => writer(number));
  return {
    acknowledged,
    uncertain,
    more: (writes: number) =>
      new Promise<void>((resolve) => {
        progress.beyond = acknowledged.size + writes;
        progress.reached = resolve;
      }),
    async stop() {
      stopped = true;
      await Promise.all(writers);
    },
  };
}

function archive(store: Store) {
  const events: StoreEvent[] = [];
  let check = () => {};
  store.watch('', 1, {
    events(heard) {
      events.push(...heard);
      check();
    },
    ended: () => {},
  });
  return {
    events,
    through: (revision: number) =>
      new Promise<void>((resolve) => {
        check = () => (events.at(-1)?.revision ?? 0) >= revision && resolve();
        check();
      }),
  };
}

describe('an etcd store over three members', { skip }, () => {
  test('loses no acknowledged write and no event when the leader is killed under load', async (t) => {
    await using etcd = await startEtcd({ members: 3 });
    await untilEtcdAnswers({ endpoints: etcd.endpoints });
    const leader = await etcdLeader(etcd);
    // Both start at the leader, so both lose their member.
    const endpoints = [...etcd.endpoints.slice(leader), ...etcd.endpoints.slice(0, leader)];
    const stores = [openEtcdStore({ endpoints, clock }), openEtcdStore({ endpoints: endpoints.toReversed(), clock })];
    const archives = [...stores, openEtcdStore({ endpoints, clock })].map((store) => ({ store, heard: archive(store) }));
    const writers = startWriters(stores, 8);
    t.after(async () => {
      await writers.stop();
      await Promise.all(archives.map(({ store }) => store.close()));
    });
    await writers.more(200);
    await etcd.members[leader]!.kill();
    await writers.more(200);
    await etcd.members[leader]!.start();
    await writers.more(200);
    await writers.stop();

    const { revision, values } = await stores[0]!.list('');
    const found = new Map(values.map((item) => [item.key, item]));
    for (const [key, { value, revision: written }] of writers.acknowledged) {
      assert.equal(found.get(key)?.value.toString(), value, key);
      assert.equal(found.get(key)?.revision, written, key);
    }
    for (const key of found.keys()) assert(writers.acknowledged.has(key) || writers.uncertain.has(key), `${key} appeared from nowhere`);
    for (const { heard } of archives) {
      await heard.through(revision);
      assert.deepEqual(
        heard.events.map((event) => event.revision),
        Array.from({ length: revision - 1 }, (_, i) => i + 2),
      );
    }
    await Promise.all(archives.map(({ store }) => store.close()));
  });

  test('fails fast without a majority, and goes on by itself when it is back', async (t) => {
    await using etcd = await startEtcd({ members: 3 });
    await untilEtcdAnswers({ endpoints: etcd.endpoints });
    const store = openEtcdStore({ endpoints: etcd.endpoints, clock, patienceMs: 1_000 });
    t.after(() => store.close());
    const heard = archive(store);
    const write = (value: string) => store.commit({ compare: [], writes: [{ key: '/a', value: Buffer.from(value) }] });
    await write('before');
    await Promise.all(etcd.members.slice(0, 2).map((member) => member.kill()));
    // The first ones may still reach the member that has not noticed; then all are refused, and at once.
    await assert.rejects(write('at the moment'));
    await assert.rejects(store.currentRevision(), StoreUnavailableError);
    const askedMs = clock.monotonicMs();
    await assert.rejects(store.currentRevision(), StoreUnavailableError);
    await assert.rejects(write('without majority'), StoreUnavailableError);
    assert(clock.monotonicMs() - askedMs < 1_000, 'refused within a second');

    await etcd.members[0]!.start();
    await untilEtcdAnswers({ endpoints: etcd.endpoints });
    const result = await write('after');
    assert(result.committed);
    await heard.through(result.revision);
    const texts = heard.events.map(({ value }) => value.toString());
    assert.equal(texts[0], 'before');
    assert.equal(texts.at(-1), 'after');
    assert(!texts.includes('without majority'));
    await store.close();
  });
});

test('an etcd store speaks TLS with a client certificate, and etcd refuses one without', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'keks-tls-'));
  t.after(() => rm(folder, { recursive: true }));
  const issuing = { clock, random: systemRandom };
  const authority = await createAuthority({ ...issuing, commonName: 'etcd-ca' });
  const serving = await issueServing(authority, { ...issuing, commonName: 'etcd', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  const client = await issueClient(authority, { ...issuing, commonName: 'kube-apiserver-etcd-client' });
  const files = { ca: join(folder, 'ca.crt'), certificate: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  await Promise.all([
    writeFile(files.ca, authority.certificate),
    writeFile(files.certificate, serving.certificate),
    writeFile(files.key, serving.key, { mode: 0o600 }),
  ]);
  await using etcd = await startEtcd({ tls: files });
  const tls = { ca: authority.certificate, certificate: client.certificate, key: client.key };
  await untilEtcdAnswers({ endpoints: etcd.endpoints, tls });
  const store = openEtcdStore({ endpoints: etcd.endpoints, tls, clock });
  t.after(() => store.close());
  assert.equal(await store.currentRevision(), 1);
  const stranger = openEtcdStore({ endpoints: etcd.endpoints, tls: { ca: authority.certificate }, clock, patienceMs: 100 });
  t.after(() => stranger.close());
  await assert.rejects(stranger.currentRevision(), StoreUnavailableError);
});

test('a snapshot of an etcd store opens as a SQLite store; a member’s own snapshot is read by etcdctl', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'keks-snapshot-'));
  t.after(() => rm(folder, { recursive: true }));
  await using etcd = await startEtcd();
  const { endpoints } = etcd;
  await untilEtcdAnswers({ endpoints });
  const store = openEtcdStore({ endpoints, clock });
  t.after(() => store.close());
  // More than one page of the internal reads.
  for (let batch = 0; batch < 3; batch++) {
    const writes = Array.from({ length: 1_000 }, (_, i) => ({ key: `/k/${batch}/${i}`, value: Buffer.from(`${batch} ${i}`) }));
    await store.commit({ compare: [], writes });
  }
  const thread = startSqliteThread();
  const revision = await store.snapshot(join(folder, 'copy.sqlite'));
  const copy = await openSqliteStore(join(folder, 'copy.sqlite'), thread);
  assert.equal(revision, 4);
  assert.deepEqual(await copy.list(''), await store.list(''));
  await copy.close();
  await thread.close();

  await saveEtcdSnapshot({ endpoints, clock }, join(folder, 'etcd.db'));
  assert((await stat(join(folder, 'etcd.db'))).size > 0);
  const etcdctl = (await etcdProgram('etcdctl'))!;
  const env = { ...process.env, ETCDCTL_API: '3' };
  const told = JSON.parse(await run(etcdctl, ['snapshot', 'status', join(folder, 'etcd.db'), '--write-out=json'], { env })) as object;
  assert.deepEqual({ ...told, hash: 0, totalSize: 0, totalKey: 0 }, { hash: 0, revision: 4, totalKey: 0, totalSize: 0 });
  // `restore` checks the digest behind the data.
  await run(etcdctl, ['snapshot', 'restore', join(folder, 'etcd.db'), '--data-dir', join(folder, 'restored')], { env });
});
