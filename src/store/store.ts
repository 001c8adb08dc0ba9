// The waist: keys, bytes and revisions. It knows no kinds; every engine passes store/conformance.ts.

/** One key as it stood at some revision. `value` is never changed by anyone, once stored. */
export interface KeyValue {
  key: string;
  value: Buffer;
  /** The revision of the commit that wrote this value. */
  revision: number;
}

export interface StoreEvent {
  type: 'put' | 'delete';
  key: string;
  /** The value written; for a delete the last value before it. The very Buffer that was committed, where the engine runs in this process. */
  value: Buffer;
  /** The revision of the commit. All events of one commit share it. */
  revision: number;
  /** The revision of the value that this event replaced or deleted; 0 if the key did not exist. */
  previousRevision: number;
}

/** Holds if the key's value was last written at `revision`; 0 means that the key must not exist. */
export interface Compare {
  key: string;
  revision: number;
}

export type Write = { key: string; value: Buffer } | { key: string; delete: true };

export type CommitResult =
  | { committed: true; revision: number }
  /** Nothing was written. `current` has the compared keys as they stand (absent ones left out). */
  | { committed: false; current: KeyValue[] };

export interface ListResult {
  /** The revision that the list is a snapshot of. */
  revision: number;
  /** In ascending byte order of their keys. */
  values: KeyValue[];
  /** Keys of the prefix behind the last value returned. */
  remaining: number;
}

export interface WatchSink {
  /** Events in revision order; a commit's events are never split over two calls. Must not throw. */
  events(events: StoreEvent[]): void;
  /** Called once if the watch ends by itself: compacted, store closed. An engine behind a network resumes by itself where a connection is lost. */
  ended(error: Error): void;
}

export interface StoreWatch {
  close(): void;
}

/** No engine need take a commit that compares more keys. */
export const maxCompares = 64;

export interface Store {
  /** The latest committed revision; a read after it sees at least that. A new store starts at 1. */
  currentRevision(): Promise<number>;
  get(key: string, revision?: number): Promise<KeyValue | undefined>;
  /** Keys that start with `prefix`, after `after` (exclusive) if given, at `revision` or the latest. */
  list(prefix: string, options?: { revision?: number; after?: string; limit?: number }): Promise<ListResult>;
  /**
   * Writes all or nothing, if every compare holds. Resolves when durable. An embedded engine delivers the events to its
   * watches before it resolves. A delete of an absent key writes nothing; a commit that writes nothing keeps the revision.
   * One asked for after another was answered gets the higher revision; of those under way together any may come first.
   */
  commit(transaction: { compare: Compare[]; writes: Write[] }): Promise<CommitResult>;
  /** Events of keys under `prefix` with a revision above `after`, from history first, then live. */
  watch(prefix: string, after: number, sink: WatchSink): StoreWatch;
  /** Forgets history below `revision`: reads and watches there fail with CompactedError. */
  compact(revision: number): Promise<void>;
  /** Writes the state at one revision to a new file that `openSqliteStore` opens. Resolves to that revision. */
  snapshot(file: string): Promise<number>;
  /** Ends watches, waits for commits under way, releases files. */
  close(): Promise<void>;
}

/** The asked revision is older than history goes. */
export class CompactedError extends Error {
  override name = 'CompactedError';
  readonly compactedRevision: number;
  constructor(compactedRevision: number) {
    super(`required revision has been compacted; history starts at ${compactedRevision}`);
    this.compactedRevision = compactedRevision;
  }
}

/** The asked revision has not been written yet. */
export class FutureRevisionError extends Error {
  override name = 'FutureRevisionError';
}

/** The engine cannot write now (disk full, quorum lost): nothing was written, reads go on. */
export class StoreUnavailableError extends Error {
  override name = 'StoreUnavailableError';
}

/** The connection was lost while a commit was under way: it was written once, or not at all. */
export class UnknownOutcomeError extends Error {
  override name = 'UnknownOutcomeError';
}

/** The store's file is not what was written to it. */
export class DamagedStoreError extends Error {
  override name = 'DamagedStoreError';
  constructor(file: string, finding: string) {
    super(`${file} is damaged (${finding}): restore a snapshot in its place`);
  }
}
