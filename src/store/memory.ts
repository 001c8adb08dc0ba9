// The engine for tests and libraries: every version since the last compaction in memory, nothing durable.
import type { CommitResult, KeyValue, ListResult, Store, StoreEvent, Write } from './store.ts';
import { CompactedError, FutureRevisionError, StoreUnavailableError } from './store.ts';
import { createWatchHub } from './watch-hub.ts';
import { positionOf } from './sorted-keys.ts';

interface Version {
  revision: number;
  /** Undefined: deleted at this revision. */
  value: Buffer | undefined;
}

export interface MemoryStore extends Store {
  /** A second store that goes on from here: same keys, history and revision. The values are shared, nothing else. */
  fork(): MemoryStore;
}

/** What a store holds; versions and events are never changed again. */
interface Contents {
  versions: Map<string, Version[]>;
  /** All keys with a version, also deleted ones that history still knows. */
  keys: string[];
  isSorted: boolean;
  log: StoreEvent[];
  revision: number;
  compacted: number;
}

export function createMemoryStore(): MemoryStore {
  return storeOf({ versions: new Map(), keys: [], isSorted: true, log: [], revision: 1, compacted: 0 });
}

function storeOf(contents: Contents): MemoryStore {
  const { versions } = contents;
  let { keys, isSorted, log, revision, compacted } = contents;
  const hub = createWatchHub();
  let closed = false;

  const at = (key: string, atRevision: number): KeyValue | undefined => {
    const found = versions.get(key)?.findLast((version) => version.revision <= atRevision);
    return found?.value && { key, value: found.value, revision: found.revision };
  };

  /** In byte order: brought into it when somebody lists, as most keys are written and watched, never listed. */
  const sortedKeys = (): readonly string[] => {
    if (!isSorted) keys.sort();
    isSorted = true;
    return keys;
  };

  const checkReadable = (asked: number | undefined): number => {
    if (closed) throw new StoreUnavailableError('the store is closed');
    if (asked === undefined) return revision;
    if (asked < compacted) throw new CompactedError(compacted);
    if (asked > revision) throw new FutureRevisionError(`revision ${asked} has not been written yet; the latest is ${revision}`);
    return asked;
  };

  const apply = (write: Write, next: number): StoreEvent | undefined => {
    const current = at(write.key, revision);
    if ('delete' in write && current === undefined) return undefined;
    const value = 'delete' in write ? undefined : write.value;
    const known = versions.get(write.key);
    if (known) known.push({ revision: next, value });
    else {
      versions.set(write.key, [{ revision: next, value }]);
      keys.push(write.key);
      isSorted &&= (keys.at(-2) ?? '') < write.key;
    }
    const previousRevision = current?.revision ?? 0;
    return { type: value ? 'put' : 'delete', key: write.key, value: value ?? current!.value, revision: next, previousRevision };
  };

  return {
    async currentRevision() {
      return checkReadable(undefined);
    },
    async get(key, asked) {
      return at(key, checkReadable(asked));
    },
    async list(prefix, options = {}) {
      const atRevision = checkReadable(options.revision);
      return { revision: atRevision, ...page(sortedKeys(), prefix, options, (key) => at(key, atRevision)) };
    },
    async commit({ compare, writes }): Promise<CommitResult> {
      checkReadable(undefined);
      if (compare.some(({ key, revision: expected }) => (at(key, revision)?.revision ?? 0) !== expected)) {
        return { committed: false, current: compare.map(({ key }) => at(key, revision)).filter((found) => found !== undefined) };
      }
      const events = writes.map((write) => apply(write, revision + 1)).filter((event) => event !== undefined);
      if (events.length === 0) return { committed: true, revision };
      revision += 1;
      log.push(...events);
      hub.deliver(events);
      return { committed: true, revision };
    },
    watch(prefix, after, sink) {
      if (after < compacted) return hub.add(prefix, sink, Promise.reject(new CompactedError(compacted)));
      if (after >= revision) return hub.add(prefix, sink);
      const events = log.filter((event) => event.revision > after && event.key.startsWith(prefix));
      return hub.add(prefix, sink, Promise.resolve({ events, through: revision }));
    },
    async compact(through) {
      const atRevision = checkReadable(through);
      compacted = atRevision;
      log = log.filter((event) => event.revision > atRevision);
      dropBefore(versions, atRevision);
      keys = keys.filter((key) => versions.has(key));
    },
    async snapshot(file) {
      const { writeSnapshot } = await import('./sqlite-database.ts');
      const { values } = await this.list('');
      writeSnapshot(file, revision, values);
      return revision;
    },
    fork() {
      checkReadable(undefined);
      const own = new Map<string, Version[]>();
      for (const [key, known] of versions) own.set(key, [...known]);
      return storeOf({ versions: own, keys: [...keys], isSorted, log: [...log], revision, compacted });
    },
    async close() {
      closed = true;
      hub.end(new StoreUnavailableError('the store is closed'));
    },
  };
}

/** Of each key the version at the revision stays, with those after it, unless it is a deletion. */
function dropBefore(versions: Map<string, Version[]>, revision: number): void {
  for (const [key, known] of versions) {
    const keep = known.findLastIndex((version) => version.revision <= revision);
    if (keep > 0) known.splice(0, keep);
    if (keep >= 0 && known[0]!.value === undefined) known.shift();
    if (known.length === 0) versions.delete(key);
  }
}

/** The values of one page of `keys`, and how many are behind it. */
function page(
  keys: readonly string[],
  prefix: string,
  { after, limit }: { after?: string; limit?: number },
  read: (key: string) => KeyValue | undefined,
): Pick<ListResult, 'values' | 'remaining'> {
  const values: KeyValue[] = [];
  let remaining = 0;
  const from = after !== undefined && after >= prefix ? positionOf(keys, after, true) : positionOf(keys, prefix);
  for (let i = from; i < keys.length && keys[i]!.startsWith(prefix); i++) {
    const found = read(keys[i]!);
    if (found === undefined) continue;
    if (values.length < (limit || Infinity)) values.push(found);
    else remaining++;
  }
  return { values, remaining };
}
