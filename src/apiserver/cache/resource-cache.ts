// One resource as the store has it: its entries, the window of recent events, and whoever watches.
import { expired } from '#api/meta/errors.ts';
import type { Entry } from './entry.ts';
import type { CacheEvent, EventWindow, WindowLimits } from './event-window.ts';
import { createEventWindow } from './event-window.ts';
import { createOrderedEntries } from './ordered-entries.ts';
import type { CacheSelection, FieldIndex } from './selection.ts';
import type { CacheWatchSink, SelectedEvent, Watchers } from './watchers.ts';
import { createWatchers, isSelected, select } from './watchers.ts';

export interface CachedResource {
  /** `/registry/pods/`: every key of the resource starts with it and no other's does. */
  prefix: string;
  namespaced: boolean;
  /** Fields that lists and watches select by often. */
  indexes?: Readonly<Record<string, FieldIndex>>;
}

export interface ResourceCache {
  readonly size: number;
  /** The revision of the resource's last event. */
  readonly lastRevision: number;
  readonly watchers: Watchers;
  get(key: string): Entry | undefined;
  /** Selected entries in key order. */
  list(selection: CacheSelection): Entry[];
  /** Entries as they stood at `revision`, or undefined if the window does not reach back that far. */
  listAt(selection: CacheSelection, revision: number): Entry[] | undefined;
  /** Delivers what happened after `after` at once, then what happens. Throws Expired if the window does not reach back that far. */
  watch(selection: CacheSelection, after: number, sink: CacheWatchSink): { close(): void };
  /** For the world alone: takes in one change. */
  apply(key: string, entry: Entry | undefined, revision: number, nowMs: number): void;
  /** For the world alone: what was applied so far is the state at `revision`, not news. */
  settle(revision: number): void;
  /** For the world alone: forgets events older than `atMs`. */
  expire(atMs: number): void;
}

export function createResourceCache(resource: CachedResource, startRevision: number, limits: WindowLimits): ResourceCache {
  const indexes = resource.indexes ?? {};
  const fields = Object.keys(indexes);
  const entries = createOrderedEntries(resource.prefix, resource.namespaced);
  const indexed = new Map<string, Map<string, Entry>>();
  let window: EventWindow = createEventWindow(startRevision, limits);
  const watchers = createWatchers(indexes);
  let lastRevision = startRevision;

  const reindex = (field: string, before: Entry | undefined, now: Entry | undefined) => {
    const oldValue = before && indexes[field]!(before.object);
    const newValue = now && indexes[field]!(now.object);
    if (before && oldValue !== newValue) {
      const bucket = indexed.get(`${field}=${oldValue}`);
      bucket?.delete(before.key);
      if (bucket?.size === 0) indexed.delete(`${field}=${oldValue}`);
    }
    if (!now) return;
    const name = `${field}=${newValue}`;
    const bucket = indexed.get(name) ?? new Map<string, Entry>();
    indexed.set(name, bucket.set(now.key, now));
  };

  /** A superset of the selection, in key order. */
  const candidates = (selection: CacheSelection): Entry[] => {
    if (selection.index) {
      const found = indexed.get(`${selection.index.field}=${selection.index.value}`);
      return found ? [...found.values()].sort(byKey) : [];
    }
    if (selection.name !== undefined && (selection.namespace !== undefined || !resource.namespaced)) {
      const place = resource.namespaced ? `${selection.namespace}/` : '';
      const entry = entries.get(`${resource.prefix}${place}${selection.name}`);
      return entry ? [entry] : [];
    }
    return entries.list(selection.namespace);
  };

  const list = (selection: CacheSelection): Entry[] => {
    const found = candidates(selection);
    const whole = selection.matches === undefined && selection.index === undefined && selection.name === undefined;
    return whole ? found : found.filter((entry) => isSelected(selection, entry, indexes));
  };

  return {
    watchers,
    get size() {
      return entries.size;
    },
    get lastRevision() {
      return lastRevision;
    },
    get: entries.get,
    list,
    listAt(selection, revision) {
      if (revision >= lastRevision) return list(selection);
      if (revision < window.floor) return undefined;
      return undo(entries.list(), window.after(revision)).filter((entry) => isSelected(selection, entry, indexes));
    },
    watch(selection, after, sink) {
      if (after < window.floor) throw expired(`too old resource version: ${after} (${window.floor})`);
      const missed: SelectedEvent[] = [];
      for (const event of window.after(after)) {
        const selected = select(selection, event, indexes);
        if (selected) missed.push(selected);
      }
      const handle = watchers.add(selection, Math.max(after, lastRevision), sink);
      if (missed.length > 0) sink.events(missed);
      return handle;
    },
    apply(key, entry, revision, nowMs) {
      const previous = entry ? entries.put(entry) : entries.remove(key);
      if (entry === undefined && previous === undefined) return;
      for (const field of fields) reindex(field, previous, entry);
      lastRevision = revision;
      const event: CacheEvent = { revision, current: entry, previous };
      window.add(event, (entry ?? previous!).encoded.length, nowMs);
      watchers.dispatch(event);
    },
    settle(revision) {
      window = createEventWindow(revision, limits);
      lastRevision = revision;
    },
    expire: (atMs) => window.expire(atMs),
  };
}

/** Takes `events`, oldest first, back out of `entries`. */
function undo(entries: Entry[], events: CacheEvent[]): Entry[] {
  const before = new Map<string, Entry | undefined>();
  for (const event of events) {
    const { key } = (event.current ?? event.previous)!;
    if (!before.has(key)) before.set(key, event.previous);
  }
  const untouched = entries.filter((entry) => !before.has(entry.key));
  return [...untouched, ...[...before.values()].filter((entry) => entry !== undefined)].sort(byKey);
}

function byKey(a: Entry, b: Entry): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
