// What was written and may not have come back through the cache yet: so that a lagging cache never makes us create a slice twice.
import type { KubeObject } from '#api/meta/object.ts';
import type { Clock } from '#lib/clock.ts';

/** A write that was undone before it was noted never shows: it is waited for no longer than this. */
const patienceMs = 10_000;

interface Write {
  uid: string;
  version: bigint;
  atMs: number;
}

export interface WriteTracker {
  wrote(key: string, object: KubeObject): void;
  deleted(key: string, object: KubeObject): void;
  /** Whether the cache holds everything that was written for the key, at that version or a later one. */
  isShownIn(key: string, cached: (name: string) => KubeObject | undefined): boolean;
  forget(key: string): void;
}

export function createWriteTracker(clock: Clock): WriteTracker {
  const writes = new Map<string, Map<string, Write>>();
  return {
    wrote(key, object) {
      const { name, uid, resourceVersion } = object.metadata;
      const byName = writes.get(key) ?? new Map<string, Write>();
      byName.set(name!, { uid: uid!, version: BigInt(resourceVersion!), atMs: clock.monotonicMs() });
      writes.set(key, byName);
    },
    deleted(key, object) {
      const byName = writes.get(key);
      if (byName?.get(object.metadata.name!)?.uid === object.metadata.uid) byName?.delete(object.metadata.name!);
    },
    isShownIn(key, cached) {
      const byName = writes.get(key);
      if (byName === undefined) return true;
      for (const [name, { version, atMs }] of byName) {
        const object = cached(name);
        const isBehind = object === undefined || BigInt(object.metadata.resourceVersion!) < version;
        if (isBehind && clock.monotonicMs() - atMs < patienceMs) return false;
        // Shown: nothing to wait for any more.
        byName.delete(name);
      }
      writes.delete(key);
      return true;
    },
    forget: (key) => void writes.delete(key),
  };
}
