// The recent events of one resource, bounded by number, bytes and age: what a watch can resume from.
import type { Entry } from './entry.ts';

export interface CacheEvent {
  readonly revision: number;
  /** Undefined: deleted. */
  readonly current: Entry | undefined;
  readonly previous: Entry | undefined;
  /** The object as it went, at this event's revision; made when first asked for. */
  gone?: Entry;
  /** Encoded watch frames by type and format, shared by all watchers. */
  frames?: Map<string, Buffer>;
}

interface Kept {
  event: CacheEvent;
  bytes: number;
  atMs: number;
}

export interface WindowLimits {
  events: number;
  bytes: number;
}

export interface EventWindow {
  /** Events at or below this revision are forgotten. */
  readonly floor: number;
  add(event: CacheEvent, bytes: number, nowMs: number): void;
  /** Events above `revision`, oldest first. */
  after(revision: number): CacheEvent[];
  /** Forgets what is older than `atMs`. */
  expire(atMs: number): void;
}

export function createEventWindow(startRevision: number, limits: WindowLimits): EventWindow {
  let kept: Kept[] = [];
  // Forgotten events at the front of `kept`, cut off in one go so that forgetting is cheap.
  let head = 0;
  let floor = startRevision;
  let totalBytes = 0;

  const dropOldest = () => {
    const oldest = kept[head]!;
    floor = oldest.event.revision;
    totalBytes -= oldest.bytes;
    kept[head] = undefined as unknown as Kept;
    head += 1;
    if (head > 1024 && head * 2 > kept.length) {
      kept = kept.slice(head);
      head = 0;
    }
  };

  return {
    get floor() {
      return floor;
    },
    add(event, bytes, atMs) {
      kept.push({ event, bytes, atMs });
      totalBytes += bytes;
      while (kept.length - head > limits.events || (totalBytes > limits.bytes && kept.length - head > 1)) dropOldest();
    },
    after(revision) {
      let low = head;
      let high = kept.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (kept[middle]!.event.revision <= revision) low = middle + 1;
        else high = middle;
      }
      return kept.slice(low).map((item) => item.event);
    },
    expire(atMs) {
      while (head < kept.length && kept[head]!.atMs < atMs) dropOldest();
    },
  };
}
