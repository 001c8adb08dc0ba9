// The world as one API server sees it: a single watch of the store feeds every resource's cache, so that one revision says how
// current all of them are.
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { expired, serviceUnavailable } from '#api/meta/errors.ts';
import type { Store, StoreEvent, StoreWatch } from '#store/store.ts';
import { CompactedError } from '#store/store.ts';
import type { Entry } from './entry.ts';
import { createEntry } from './entry.ts';
import type { WindowLimits } from './event-window.ts';
import type { CachedResource, ResourceCache } from './resource-cache.ts';
import { createResourceCache } from './resource-cache.ts';
import { createRevisionWaiters } from './revision-waiters.ts';

export interface World {
  /** Everything up to here has been taken in and handed to the watchers. */
  readonly revision: number;
  start(): Promise<void>;
  stop(): void;
  /** By the resource's key prefix. */
  cache(prefix: string): ResourceCache;
  /** Adds a resource; what the store holds of it is taken in at the next start. */
  addResource(resource: CachedResource): void;
  /** Keeps the object that `value` encodes, so that the commit's event need not be parsed. */
  remember(value: Buffer, object: KubeObject): void;
  /** The entry that `value` became, where the store handed over that very Buffer. */
  entryOf(value: Buffer): Entry | undefined;
  /** Resolves once the world is at `revision`; after 3 s without it throws tooLargeResourceVersion. */
  waitFor(revision: number): Promise<void>;
  /** Resolves once the world holds everything that was committed before the call. */
  waitForLatest(): Promise<void>;
  /** Forgets events older than `ageMs`. */
  expireEvents(ageMs: number): void;
  readonly watcherCount: number;
}

export interface WorldOptions {
  store: Store;
  clock: Clock;
  log: Log;
  limits?: WindowLimits;
  decoded?: DecodedValues;
}

/** The objects that stored values encode. Servers whose stores share values may share it. */
export type DecodedValues = WeakMap<Buffer, { object: KubeObject; entry: Entry | undefined }>;

const defaultLimits: WindowLimits = { events: 16_384, bytes: 16 * 2 ** 20 };
/** How many revisions of history a start takes in again, so that watches resume across it. */
const replayedRevisions = 4_096;
const rewatchDelayMs = 100;

export function createWorld(options: WorldOptions): World {
  const { store, clock, log } = options;
  const resources = new Map<string, CachedResource>();
  const caches = new Map<string, ResourceCache>();
  const written: DecodedValues = options.decoded ?? new WeakMap();
  const waiters = createRevisionWaiters(clock, () => revision);
  let revision = 0;
  let watch: StoreWatch | undefined;
  let stopped = false;
  const apply = (events: StoreEvent[]) => {
    const nowMs = clock.now();
    const touched = new Set<ResourceCache>();
    for (const event of events) {
      revision = event.revision;
      const cache = cacheOf(caches, event.key);
      if (cache === undefined) continue;
      cache.apply(event.key, event.type === 'put' ? take(event.key, event.value, event.revision) : undefined, event.revision, nowMs);
      touched.add(cache);
    }
    for (const cache of touched) cache.watchers.flush();
    waiters.wake();
  };

  const take = (key: string, value: Buffer, atRevision: number): Entry => takeIn(written.get(value), key, value, atRevision);

  const sink = {
    events: oneAtATime((events: StoreEvent[]) => apply(events)),
    ended(error: Error) {
      watch = undefined;
      if (stopped) return;
      log.warn({ error: error.message, revision }, 'the watch of the store ended');
      clock.after(rewatchDelayMs, () => void resume(error).catch((failed: Error) => sink.ended(failed)));
    },
  };

  const resume = async (reason: Error) => {
    if (stopped) return;
    // History is gone: what happened in between cannot be told, so watchers start over.
    if (reason instanceof CompactedError) await load(expired('too old resource version: the server lost sight of the store'));
    watch = store.watch('', revision, sink);
  };

  const load = async (reason?: Error) => {
    const listing = await listForReplay(store);
    for (const cache of caches.values()) if (reason) cache.watchers.end(reason);
    for (const resource of resources.values()) {
      caches.set(resource.prefix, createResourceCache(resource, listing.revision, options.limits ?? defaultLimits));
    }
    const nowMs = clock.now();
    for (const item of listing.values)
      cacheOf(caches, item.key)?.apply(item.key, take(item.key, item.value, item.revision), item.revision, nowMs);
    for (const cache of caches.values()) cache.settle(listing.revision);
    revision = listing.revision;
  };

  return {
    get revision() {
      return revision;
    },
    get watcherCount() {
      return [...caches.values()].reduce((sum, cache) => sum + cache.watchers.size, 0);
    },
    async start() {
      await load();
      const latest = await store.currentRevision();
      watch = store.watch('', revision, sink);
      await waiters.waitFor(latest);
    },
    stop() {
      stopped = true;
      watch?.close();
      for (const cache of caches.values()) cache.watchers.end(serviceUnavailable('the API server is shutting down'));
    },
    cache(prefix) {
      const found = caches.get(prefix);
      if (found === undefined) throw serviceUnavailable('the API server has not started yet');
      return found;
    },
    addResource(resource) {
      resources.set(resource.prefix, resource);
    },
    remember: (value, object) => void written.set(value, { object, entry: undefined }),
    entryOf: (value) => written.get(value)?.entry,
    waitFor: waiters.waitFor,
    async waitForLatest() {
      const latest = await store.currentRevision();
      if (latest > revision) await waiters.waitFor(latest);
    },
    expireEvents(ageMs) {
      for (const cache of caches.values()) cache.expire(clock.now() - ageMs);
    },
  };
}

/** The state a little before the latest revision, or as far back as history goes. */
async function listForReplay(store: Store): ReturnType<Store['list']> {
  const latest = await store.currentRevision();
  try {
    return await store.list('', { revision: Math.max(1, latest - replayedRevisions) });
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    return await store.list('', { revision: error.compactedRevision });
  }
}

/** The object that this server wrote itself need not be parsed. */
function takeIn(known: ReturnType<DecodedValues['get']>, key: string, value: Buffer, revision: number): Entry {
  if (known?.entry?.revision === revision) return known.entry;
  const entry = createEntry(key, value, revision, known?.object);
  if (known) known.entry = entry;
  return entry;
}

function cacheOf(caches: ReadonlyMap<string, ResourceCache>, key: string): ResourceCache | undefined {
  const first = key.indexOf('/', '/registry/'.length) + 1;
  const one = caches.get(key.slice(0, first));
  if (one !== undefined) return one;
  // services/specs and the groups that have a folder of their own.
  return caches.get(key.slice(0, key.indexOf('/', first) + 1));
}

/** A watcher may write while it is told of an earlier write: what that brings waits until all have been told. */
function oneAtATime<T>(run: (item: T) => void): (item: T) => void {
  const queued: T[] = [];
  let running = false;
  return (item) => {
    queued.push(item);
    if (running) return;
    running = true;
    try {
      for (let next = queued.shift(); next !== undefined; next = queued.shift()) run(next);
    } finally {
      running = false;
    }
  };
}
