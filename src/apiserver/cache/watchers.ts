// The watchers of one resource, found by namespace, name or indexed field: an event costs what it concerns, not how many watch.
import type { CacheEvent } from './event-window.ts';
import type { Entry } from './entry.ts';
import { entryAt } from './entry.ts';
import type { CacheSelection, FieldIndex } from './selection.ts';

type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** An event as one watcher sees it: entering its selection is ADDED, leaving it DELETED. */
export interface SelectedEvent {
  type: WatchEventType;
  entry: Entry;
  event: CacheEvent;
}

export interface CacheWatchSink {
  /** In order; all events of a commit in one call. Must not throw. */
  events(events: SelectedEvent[]): void;
  ended(error: Error): void;
}

interface Watcher {
  selection: CacheSelection;
  after: number;
  sink: CacheWatchSink;
  pending: SelectedEvent[];
}

export interface Watchers {
  readonly size: number;
  /** `after`: events up to this revision are not for this watcher. */
  add(selection: CacheSelection, after: number, sink: CacheWatchSink): { close(): void };
  /** Notes the event for whom it concerns; `flush` hands over. */
  dispatch(event: CacheEvent): void;
  flush(): void;
  end(error: Error): void;
}

export function createWatchers(indexes: Readonly<Record<string, FieldIndex>>): Watchers {
  const buckets = new Map<string, Set<Watcher>>();
  const fields = Object.entries(indexes);
  let dirty: Watcher[] = [];
  let size = 0;

  const note = (bucket: string, event: CacheEvent) => {
    const watchers = buckets.get(bucket);
    if (watchers === undefined) return;
    for (const watcher of watchers) {
      if (event.revision <= watcher.after) continue;
      const selected = select(watcher.selection, event, indexes);
      if (selected === undefined) continue;
      if (watcher.pending.length === 0) dirty.push(watcher);
      watcher.pending.push(selected);
    }
  };

  return {
    get size() {
      return size;
    },
    add(selection, after, sink) {
      const watcher: Watcher = { selection, after, sink, pending: [] };
      const name = bucketOf(selection);
      const bucket = buckets.get(name) ?? new Set();
      buckets.set(name, bucket);
      bucket.add(watcher);
      size += 1;
      return {
        close() {
          if (!bucket.delete(watcher)) return;
          size -= 1;
          watcher.pending = [];
          if (bucket.size === 0) buckets.delete(name);
        },
      };
    },
    dispatch(event) {
      if (size === 0) return;
      const { metadata } = (event.current ?? event.previous!).object;
      note('', event);
      note(nameBucket(metadata.namespace ?? '', metadata.name!), event);
      if (metadata.namespace !== undefined) note(namespaceBucket(metadata.namespace), event);
      for (const [field, read] of fields) {
        const before = event.previous && read(event.previous.object);
        const now = event.current && read(event.current.object);
        if (now !== undefined) note(indexBucket(field, now), event);
        if (before !== undefined && before !== now) note(indexBucket(field, before), event);
      }
    },
    flush() {
      const flushed = dirty;
      dirty = [];
      for (const watcher of flushed) {
        const events = watcher.pending;
        watcher.pending = [];
        if (events.length > 0) watcher.sink.events(events);
      }
    },
    end(error) {
      const all = [...buckets.values()].flatMap((bucket) => [...bucket]);
      buckets.clear();
      size = 0;
      dirty = [];
      for (const watcher of all) watcher.sink.ended(error);
    },
  };
}

/** What the event means to someone who sees only the selection; undefined: nothing. */
export function select(
  selection: CacheSelection,
  event: CacheEvent,
  indexes: Readonly<Record<string, FieldIndex>>,
): SelectedEvent | undefined {
  const { current, previous } = event;
  const isIn = current !== undefined && isSelected(selection, current, indexes);
  const wasIn = previous !== undefined && isSelected(selection, previous, indexes);
  if (isIn) return { type: wasIn ? 'MODIFIED' : 'ADDED', entry: current, event };
  if (!wasIn) return undefined;
  event.gone ??= entryAt(previous, event.revision);
  return { type: 'DELETED', entry: event.gone, event };
}

export function isSelected(selection: CacheSelection, entry: Entry, indexes: Readonly<Record<string, FieldIndex>>): boolean {
  const { object } = entry;
  if (selection.namespace !== undefined && object.metadata.namespace !== selection.namespace) return false;
  if (selection.name !== undefined && object.metadata.name !== selection.name) return false;
  if (selection.index !== undefined && indexes[selection.index.field]!(object) !== selection.index.value) return false;
  return selection.matches === undefined || selection.matches(object);
}

function bucketOf(selection: CacheSelection): string {
  if (selection.index !== undefined) return indexBucket(selection.index.field, selection.index.value);
  if (selection.name !== undefined && selection.namespace !== undefined) return nameBucket(selection.namespace, selection.name);
  return selection.namespace === undefined ? '' : namespaceBucket(selection.namespace);
}

const namespaceBucket = (namespace: string): string => `namespace/${namespace}`;
const nameBucket = (namespace: string, name: string): string => `name/${namespace}/${name}`;
const indexBucket = (field: string, value: string): string => `index/${field}/${value}`;
