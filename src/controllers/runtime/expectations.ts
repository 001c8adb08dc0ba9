// What a controller has asked for and not yet seen in its cache. While something is outstanding it neither creates nor deletes:
// so a cache that lags behind never makes it repeat a burst.
import type { Clock } from '#lib/clock.ts';

export interface Expectations {
  /** Whether everything expected for the key was seen, or was waited for long enough. */
  satisfied(key: string): boolean;
  expectCreations(key: string, count: number): void;
  expectDeletions(key: string, uids: string[]): void;
  /** Also for a creation that failed. */
  creationObserved(key: string): void;
  /** Also for a deletion that failed. Counts once for each uid. */
  deletionObserved(key: string, uid: string): void;
  forget(key: string): void;
}

interface Expected {
  creations: number;
  deletions: Set<string>;
  sinceMs: number;
}

/** After this long an event is taken to have been lost with the watch. */
const timeoutMs = 300_000;

export function createExpectations(clock: Clock): Expectations {
  const expected = new Map<string, Expected>();
  const settle = (key: string, entry: Expected): void => {
    if (entry.creations <= 0 && entry.deletions.size === 0) expected.delete(key);
  };
  const isStale = ({ sinceMs }: Expected): boolean => clock.monotonicMs() - sinceMs > timeoutMs;
  /** What is expected on top of what is outstanding still. */
  const raise = (key: string, creations: number, deletions: readonly string[]): void => {
    const entry = expected.get(key);
    const outstanding = entry === undefined || isStale(entry) ? { creations: 0, deletions: [] } : entry;
    const raised: Expected = {
      creations: outstanding.creations + creations,
      deletions: new Set([...outstanding.deletions, ...deletions]),
      sinceMs: clock.monotonicMs(),
    };
    expected.set(key, raised);
    settle(key, raised);
  };
  return {
    satisfied(key) {
      const entry = expected.get(key);
      return entry === undefined || isStale(entry);
    },
    expectCreations: (key, count) => raise(key, count, []),
    expectDeletions: (key, uids) => raise(key, 0, uids),
    creationObserved(key) {
      const entry = expected.get(key);
      if (entry === undefined) return;
      entry.creations--;
      settle(key, entry);
    },
    deletionObserved(key, uid) {
      const entry = expected.get(key);
      if (entry?.deletions.delete(uid)) settle(key, entry);
    },
    forget: (key) => void expected.delete(key),
  };
}
