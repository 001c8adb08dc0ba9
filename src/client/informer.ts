// A live copy of one resource: list once, watch from there, list again only when the server says that the revision is gone.
// The cache is always a state that the server had; handlers run synchronously, in the order of the server's events.
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { keyOf, qualifiedPlural } from '#api/meta/object.ts';
import { isExpired } from '#api/meta/errors.ts';
import type { Clock } from '#lib/clock.ts';
import type { Random } from '#lib/random.ts';
import type { Log } from '#lib/log.ts';
import type { Client, Selection, WatchEvent, WatchHandle } from './client.ts';
import type { IndexFunction } from './object-cache.ts';
import { createObjectCache } from './object-cache.ts';

interface Handlers<T> {
  added?(object: T): void;
  updated?(old: T, current: T): void;
  /** `object` is the last state that was seen. */
  deleted?(object: T): void;
}

export interface Informer<T extends KubeObject> {
  readonly resource: ResourceType<T>;
  /** Resolves when the cache holds the first list; rejects when stopped before. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  readonly size: number;
  /** The key is `namespace/name`, or the name alone for cluster-scoped objects. */
  get(key: string): T | undefined;
  list(): T[];
  byIndex(index: string, value: string): T[];
  countByIndex(index: string, value: string): number;
  /** The same name may be added again with the same function. */
  addIndex(name: string, valuesOf: IndexFunction<T>): void;
  /** Objects already in the cache are handed to `added` at once. Handlers must not throw. Answers how to take them off. */
  addHandlers(handlers: Handlers<T>): () => void;
  start(): void;
  stop(): void;
}

export interface Surroundings {
  clock: Clock;
  random: Random;
  log: Log;
}

export interface Informers {
  /** The one informer of this resource and selection; runs as soon as the factory does. */
  informer<T extends KubeObject>(resource: ResourceType<T>, selection?: Selection): Informer<T>;
  start(): void;
  /** Resolves when every informer asked for so far has its first list. */
  synced(): Promise<void>;
  stop(): void;
}

/** Informers that are shared: one watch for each (resource, selection), however many components ask. */
export function createInformers(client: Client, surroundings: Surroundings): Informers {
  const informers = new Map<string, Informer<KubeObject>>();
  let running = false;
  return {
    informer<T extends KubeObject>(resource: ResourceType<T>, selection: Selection = {}): Informer<T> {
      const { namespace = '', labelSelector = '', fieldSelector = '' } = selection;
      const identity = [qualifiedPlural(resource), resource.version, namespace, labelSelector, fieldSelector].join('|');
      let informer = informers.get(identity) as Informer<T> | undefined;
      if (informer === undefined) {
        informer = createInformer(client, resource, selection, surroundings);
        informers.set(identity, informer as unknown as Informer<KubeObject>);
        if (running) informer.start();
      }
      return informer;
    },
    start() {
      running = true;
      for (const informer of informers.values()) informer.start();
    },
    async synced() {
      await Promise.all([...informers.values()].map((informer) => informer.synced));
    },
    stop() {
      running = false;
      for (const informer of informers.values()) informer.stop();
    },
  };
}

const firstBackoffMs = 800;
const maxBackoffMs = 30_000;

export function createInformer<T extends KubeObject>(
  client: Client,
  resource: ResourceType<T>,
  selection: Selection,
  surroundings: Surroundings,
): Informer<T> {
  const cache = createObjectCache<T>();
  const handlers = new Set<Handlers<T>>();
  const sync = Promise.withResolvers<void>();
  sync.promise.catch(() => undefined);
  const stopping = new AbortController();
  let hasSynced = false;
  let started = false;

  const announce = (old: T | undefined, current: T | undefined): void => {
    for (const handler of handlers) {
      if (current === undefined) handler.deleted?.(old!);
      else if (old === undefined) handler.added?.(current);
      else handler.updated?.(old, current);
    }
  };
  const put = (object: T): void => {
    const old = cache.set(object);
    announce(old, object);
  };
  const remove = (key: string, last?: T): void => {
    const old = cache.remove(key);
    if (old !== undefined) announce(last ?? old, undefined);
  };
  const replace = (objects: T[]): void => {
    const listed = new Set<string>();
    for (const object of objects) {
      const key = keyOf(object);
      listed.add(key);
      const old = cache.get(key);
      // A name that was deleted and created again while we did not look is another object.
      if (old !== undefined && old.metadata.uid !== object.metadata.uid) remove(key);
      if (old === undefined || old.metadata.resourceVersion !== object.metadata.resourceVersion) put(object);
    }
    for (const key of [...cache.keys()]) if (!listed.has(key)) remove(key);
    hasSynced = true;
    sync.resolve();
  };
  const apply = (event: WatchEvent<T>): void => {
    if (event.type === 'BOOKMARK') return;
    if (event.type === 'DELETED') remove(keyOf(event.object), event.object);
    else put(event.object);
  };

  return {
    resource,
    synced: sync.promise,
    get hasSynced() {
      return hasSynced;
    },
    get size() {
      return cache.size;
    },
    get: cache.get,
    list: cache.list,
    byIndex: cache.byIndex,
    countByIndex: cache.countByIndex,
    addIndex: cache.addIndex,
    addHandlers(added) {
      handlers.add(added);
      for (const object of cache.list()) added.added?.(object);
      return () => void handlers.delete(added);
    },
    start() {
      if (started) return;
      started = true;
      const log = surroundings.log.with({ resource: qualifiedPlural(resource) });
      follow({ client, resource, selection, ...surroundings, log, signal: stopping.signal, replace, apply }).catch((error: unknown) =>
        log.error({ err: error }, 'informer ended'),
      );
    },
    stop() {
      stopping.abort(new Error('informer stopped'));
      sync.reject(new Error('informer stopped'));
    },
  };
}

interface Following<T extends KubeObject> extends Surroundings {
  client: Client;
  resource: ResourceType<T>;
  selection: Selection;
  signal: AbortSignal;
  replace(objects: T[]): void;
  apply(event: WatchEvent<T>): void;
}

/** Lists and watches until stopped. */
async function follow<T extends KubeObject>(following: Following<T>): Promise<void> {
  const { client, resource, selection, clock, random, log, signal } = following;
  let revision: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (revision === undefined) {
        const list = await client.list(resource, selection);
        if (signal.aborted) return;
        following.replace(list.items);
        revision = list.metadata.resourceVersion;
        failures = 0;
      }
      const ended = await watchFrom(following, revision);
      if (ended.revision !== revision) failures = 0;
      revision = ended.revision;
      if (ended.error !== undefined) throw ended.error;
      // A server that ends watches at once must not be asked in a tight loop.
      if (ended.events === 0) failures++;
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      if (isExpired(error)) {
        revision = undefined;
        if (failures === 1) continue;
      }
      log.warn({ err: error, failures }, 'watch failed, will be repeated');
    }
    if (failures > 0) await clock.sleep(backoffMs(failures, random), signal).catch(() => undefined);
  }
}

function backoffMs(failures: number, random: Random): number {
  const base = Math.min(firstBackoffMs * 2 ** Math.min(failures - 1, 10), maxBackoffMs);
  return base * (1 + random.next());
}

/** Applies a watch's events until it ends; answers the last revision seen and why it ended. */
async function watchFrom<T extends KubeObject>(
  following: Following<T>,
  from: string,
): Promise<{ revision: string; error: Error | undefined; events: number }> {
  const { client, resource, selection, signal } = following;
  let revision = from;
  let events = 0;
  const handle: WatchHandle = client.watch<T>(resource, { ...selection, resourceVersion: from, allowWatchBookmarks: true }, (batch) => {
    if (signal.aborted) return;
    for (const event of batch) {
      following.apply(event);
      revision = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion!;
      events++;
    }
  });
  const close = () => handle.close();
  signal.addEventListener('abort', close, { once: true });
  if (signal.aborted) close();
  try {
    const error = await handle.done;
    return { revision, error, events };
  } finally {
    signal.removeEventListener('abort', close);
  }
}
