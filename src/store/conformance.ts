// What every engine must pass: the tests of the Store contract, run by each engine's own test file.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Store, StoreEvent, WatchSink } from './store.ts';
import { CompactedError, FutureRevisionError, StoreUnavailableError } from './store.ts';

const bytes = (text: string) => Buffer.from(text);
const put = (key: string, text: string) => ({ key, value: bytes(text) });
const summary = (events: StoreEvent[]) =>
  events.map((event) => `${event.type} ${event.key}=${event.value} ${event.revision}<${event.previousRevision}`);

/** Collects what a watch hears; `until(n)` resolves once it has heard n events. */
function recorder(): WatchSink & {
  heard: StoreEvent[];
  batches: number[];
  until(count: number): Promise<StoreEvent[]>;
  end: Promise<Error>;
} {
  const heard: StoreEvent[] = [];
  const batches: number[] = [];
  let check = () => {};
  const end = Promise.withResolvers<Error>();
  return {
    heard,
    batches,
    events(events) {
      heard.push(...events);
      batches.push(events.length);
      check();
    },
    ended: end.resolve,
    end: end.promise,
    until(count) {
      return new Promise((resolve) => {
        check = () => heard.length >= count && resolve(heard);
        check();
      });
    },
  };
}

async function write(store: Store, ...writes: ReturnType<typeof put>[]): Promise<number> {
  const result = await store.commit({ compare: [], writes });
  assert(result.committed);
  return result.revision;
}

async function remove(store: Store, key: string): Promise<number> {
  const result = await store.commit({ compare: [], writes: [{ key, delete: true }] });
  assert(result.committed);
  return result.revision;
}

/** The suite, and what only an engine inside this process promises beyond it. */
export function testEmbeddedStore(name: string, open: () => Promise<Store>): void {
  testStore(name, open);
  test(`the ${name} store gives concurrent commits their revisions in the order in which they were asked for`, async () => {
    const store = await open();
    const revisions = await Promise.all(Array.from({ length: 100 }, (_, i) => write(store, put(`/k${i}`, `${i}`))));
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => a - b),
    );
    await store.close();
  });
}

/** Registers the suite. `open` makes an empty store; each test closes its own. */
export function testStore(name: string, open: () => Promise<Store>): void {
  describe(`the ${name} store`, () => {
    let store: Store;
    const withStore = (behaviour: string, run: () => Promise<void>) =>
      describe(behaviour, () => {
        before(async () => {
          store = await open();
        });
        test(behaviour, run);
        after(() => store.close());
      });
    testReading(() => store, withStore);
    testCommits(() => store, withStore);
    testWatches(() => store, withStore);
    testCompaction(() => store, withStore);
  });
}

type WithStore = (behaviour: string, run: () => Promise<void>) => void;

function testReading(the: () => Store, withStore: WithStore): void {
  withStore('starts empty at revision 1', async () => {
    assert.equal(await the().currentRevision(), 1);
    assert.equal(await the().get('/a'), undefined);
    assert.deepEqual(await the().list('/'), { revision: 1, values: [], remaining: 0 });
  });

  withStore('answers the value and the revision that wrote it', async () => {
    await write(the(), put('/a', 'one'));
    const revision = await write(the(), put('/b', 'two'));
    await write(the(), put('/a', 'three'));
    assert.deepEqual(await the().get('/b'), { key: '/b', value: bytes('two'), revision });
    assert.equal((await the().get('/a'))!.value.toString(), 'three');
  });

  withStore('reads a key and a list as they were at an old revision', async () => {
    const first = await write(the(), put('/a', '1'), put('/b', '1'));
    const second = await write(the(), put('/a', '2'));
    await remove(the(), '/b');
    await write(the(), put('/c', '1'));
    assert.equal((await the().get('/a', first))!.value.toString(), '1');
    const old = await the().list('/', { revision: second });
    assert.deepEqual(
      old.values.map(({ key, value }) => `${key}=${value}`),
      ['/a=2', '/b=1'],
    );
    assert.equal(old.revision, second);
    assert.deepEqual(
      (await the().list('/')).values.map(({ key }) => key),
      ['/a', '/c'],
    );
  });

  withStore('lists in byte order, only the prefix, page by page, counting the rest', async () => {
    for (const key of ['/p/b', '/p/a', '/p/c/x', '/q', '/p', '/p/c', '/p0']) await write(the(), put(key, key));
    const page = await the().list('/p/', { limit: 2 });
    assert.deepEqual(
      page.values.map(({ key }) => key),
      ['/p/a', '/p/b'],
    );
    assert.equal(page.remaining, 2);
    const rest = await the().list('/p/', { limit: 2, after: '/p/b', revision: page.revision });
    assert.deepEqual(
      rest.values.map(({ key }) => key),
      ['/p/c', '/p/c/x'],
    );
    assert.equal(rest.remaining, 0);
  });

  withStore('refuses to read a revision that has not been written yet', async () => {
    await assert.rejects(the().list('/', { revision: 99 }), FutureRevisionError);
    await assert.rejects(the().get('/', 99), FutureRevisionError);
  });
}

function testCommits(the: () => Store, withStore: WithStore): void {
  withStore('writes all keys of a commit at one revision', async () => {
    const revision = await write(the(), put('/a', '1'), put('/b', '2'));
    assert.deepEqual(
      (await the().list('/')).values.map((value) => value.revision),
      [revision, revision],
    );
    assert.equal(await the().currentRevision(), revision);
  });

  withStore('writes nothing if one compare does not hold, and answers what stands there', async () => {
    const revision = await write(the(), put('/a', '1'));
    const refused = await the().commit({
      compare: [
        { key: '/a', revision },
        { key: '/b', revision: 7 },
      ],
      writes: [put('/c', '1')],
    });
    assert.deepEqual(refused, { committed: false, current: [{ key: '/a', value: bytes('1'), revision }] });
    assert.equal(await the().get('/c'), undefined);
    assert.equal(await the().currentRevision(), revision);
  });

  withStore('takes revision 0 in a compare for a key that does not exist', async () => {
    assert.equal((await the().commit({ compare: [{ key: '/a', revision: 0 }], writes: [put('/a', '1')] })).committed, true);
    assert.equal((await the().commit({ compare: [{ key: '/a', revision: 0 }], writes: [put('/a', '2')] })).committed, false);
    await remove(the(), '/a');
    assert.equal((await the().commit({ compare: [{ key: '/a', revision: 0 }], writes: [put('/a', '3')] })).committed, true);
  });

  withStore('lets exactly one of many concurrent writers at one revision win', async () => {
    const revision = await write(the(), put('/a', 'start'));
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => the().commit({ compare: [{ key: '/a', revision }], writes: [put('/a', `writer ${i}`)] })),
    );
    assert.equal(results.filter((result) => result.committed).length, 1);
    const winner = results.findIndex((result) => result.committed);
    assert.equal((await the().get('/a'))!.value.toString(), `writer ${winner}`);
  });

  withStore('gives concurrent commits strictly increasing revisions, each its own', async () => {
    const before = await the().currentRevision();
    const revisions = await Promise.all(Array.from({ length: 100 }, (_, i) => write(the(), put(`/k${i}`, `${i}`))));
    assert.deepEqual(
      revisions.toSorted((a, b) => a - b),
      revisions.map((_, i) => before + 1 + i),
    );
    assert.equal(await the().currentRevision(), Math.max(...revisions));
    for (const { key, revision } of (await the().list('/k')).values) assert.equal(revision, revisions[Number(key.slice(2))]);
  });

  withStore('keeps the revision when a delete finds nothing', async () => {
    const revision = await write(the(), put('/a', '1'));
    assert.equal(await remove(the(), '/b'), revision);
    assert.equal(await the().currentRevision(), revision);
  });

  withStore('stores any bytes', async () => {
    const value = Buffer.from([0, 255, 10, 0, 128]);
    await the().commit({
      compare: [],
      writes: [
        { key: '/a', value },
        { key: '/empty', value: Buffer.alloc(0) },
      ],
    });
    assert.deepEqual((await the().get('/a'))!.value, value);
    assert.equal((await the().get('/empty'))!.value.length, 0);
  });

  withStore('refuses everything once closed', async () => {
    await the().close();
    await assert.rejects(the().commit({ compare: [], writes: [put('/a', '1')] }), StoreUnavailableError);
    await assert.rejects(the().list('/'), StoreUnavailableError);
  });
}

function testWatches(the: () => Store, withStore: WithStore): void {
  withStore('hands a watch every event of its prefix in order, with what each replaced', async () => {
    const sink = recorder();
    the().watch('/p/', 1, sink);
    const first = await write(the(), put('/p/a', '1'), put('/q', '1'));
    const second = await write(the(), put('/p/a', '2'));
    const third = await remove(the(), '/p/a');
    assert.deepEqual(summary(await sink.until(3)), [
      `put /p/a=1 ${first}<0`,
      `put /p/a=2 ${second}<${first}`,
      `delete /p/a=2 ${third}<${second}`,
    ]);
  });

  withStore('replays history after a revision and goes on live without a gap or a duplicate', async () => {
    await write(the(), put('/a', 'before'));
    const from = await write(the(), put('/a', '0'));
    for (let i = 1; i <= 20; i++) await write(the(), put('/a', `${i}`));
    const sink = recorder();
    the().watch('/', from, sink);
    const writeLive = async (value: number) => ({ value, revision: await write(the(), put('/a', `${value}`)) });
    const live = await Promise.all(Array.from({ length: 20 }, (_, i) => writeLive(21 + i)));
    const events = await sink.until(40);
    assert.deepEqual(
      events.map(({ value }) => Number(value.toString())),
      [...Array.from({ length: 20 }, (_, i) => i + 1), ...live.toSorted((a, b) => a.revision - b.revision).map(({ value }) => value)],
    );
    assert.deepEqual(
      events.map(({ revision }) => revision),
      Array.from({ length: 40 }, (_, i) => from + 1 + i),
    );
  });

  withStore('replays a deletion with the value that was deleted', async () => {
    const from = await write(the(), put('/a', 'last words'));
    const revision = await remove(the(), '/a');
    const sink = recorder();
    the().watch('/', from, sink);
    assert.deepEqual(summary(await sink.until(1)), [`delete /a=last words ${revision}<${from}`]);
  });

  withStore('never splits a commit over two deliveries', async () => {
    const sink = recorder();
    the().watch('/', 1, sink);
    await write(the(), ...Array.from({ length: 300 }, (_, i) => put(`/k${i}`, 'x')));
    await sink.until(300);
    assert.deepEqual(sink.batches, [300]);
  });

  withStore('shows all watches the same order', async () => {
    const sinks = [recorder(), recorder(), recorder()];
    for (const sink of sinks) the().watch('/', 1, sink);
    await Promise.all(Array.from({ length: 100 }, (_, i) => write(the(), put(`/k${i % 7}`, `${i}`))));
    const [first, ...others] = await Promise.all(sinks.map((sink) => sink.until(100)));
    for (const other of others) assert.deepEqual(summary(other), summary(first!));
  });

  withStore('hands nothing to a watch once it is closed', async () => {
    const [closed, open] = [recorder(), recorder()];
    the().watch('/', 1, closed).close();
    the().watch('/', 1, open);
    await write(the(), put('/a', '1'));
    await open.until(1);
    assert.deepEqual(closed.heard, []);
  });

  withStore('tells its watches when it is closed', async () => {
    const sink = recorder();
    the().watch('/', 1, sink);
    await the().close();
    assert((await sink.end) instanceof StoreUnavailableError);
  });
}

function testCompaction(the: () => Store, withStore: WithStore): void {
  withStore('forgets history below a compaction and keeps what is live', async () => {
    const first = await write(the(), put('/a', '1'), put('/gone', '1'), put('/still', '1'));
    await write(the(), put('/a', '2'));
    await remove(the(), '/gone');
    const kept = await write(the(), put('/a', '3'));
    const last = await write(the(), put('/a', '4'));
    await the().compact(kept);
    await assert.rejects(the().list('/', { revision: first }), CompactedError);
    await assert.rejects(the().get('/a', first), CompactedError);
    assert.deepEqual(
      (await the().list('/', { revision: kept })).values.map(({ key, value }) => `${key}=${value}`),
      ['/a=3', '/still=1'],
    );
    assert.deepEqual(
      (await the().list('/')).values.map(({ key, value }) => `${key}=${value}`),
      ['/a=4', '/still=1'],
    );
    assert.equal(await the().currentRevision(), last);
  });

  withStore('ends a watch from before a compaction instead of leaving a gap, and serves one from it', async () => {
    const first = await write(the(), put('/a', '1'));
    const kept = await write(the(), put('/a', '2'));
    const last = await write(the(), put('/a', '3'));
    await the().compact(kept);
    const [tooOld, resumed] = [recorder(), recorder()];
    the().watch('/', first, tooOld);
    the().watch('/', kept, resumed);
    assert((await tooOld.end) instanceof CompactedError);
    assert.deepEqual(summary(await resumed.until(1)), [`put /a=3 ${last}<${kept}`]);
  });

  withStore('compacts again and again under churn', async () => {
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 30; i++) await write(the(), put(`/k${i % 3}`, `${round}.${i}`));
      await remove(the(), '/k0');
      await the().compact(await the().currentRevision());
    }
    assert.deepEqual(
      (await the().list('/')).values.map(({ key, value }) => `${key}=${value}`),
      ['/k1=4.28', '/k2=4.29'],
    );
    assert.equal((await the().commit({ compare: [{ key: '/k0', revision: 0 }], writes: [put('/k0', 'new')] })).committed, true);
  });
}
