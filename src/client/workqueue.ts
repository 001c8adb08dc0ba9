// A queue of keys: a key waits at most once, is worked on by one worker at a time, and comes back later and later while it fails.
import type { Clock, Timer } from '#lib/clock.ts';

export interface WorkQueueMetrics {
  depth(depth: number): void;
  added(): void;
  retried(): void;
  /** Seconds from add to the start of work. */
  waited(seconds: number): void;
  /** Seconds from the start of work to done. */
  worked(seconds: number): void;
}

export interface WorkQueueOptions {
  clock: Clock;
  metrics?: WorkQueueMetrics;
  /** The first delay of a failing key; doubles with each failure. */
  baseDelayMs?: number;
  maxDelayMs?: number;
  /** How many retries a second all keys together may make, beyond a first burst. */
  retriesPerSecond?: number;
  retryBurst?: number;
}

export interface WorkQueue {
  /** Keys ready to be worked on. */
  readonly depth: number;
  readonly isShutDown: boolean;
  add(key: string): void;
  /** The earlier of two delays of one key counts. */
  addAfter(key: string, delayMs: number): void;
  /** After a failure: adds with the key's back-off. */
  addRateLimited(key: string): void;
  /** After a success: the next failure starts from the first delay. */
  forget(key: string): void;
  /** Failures in a row. */
  failures(key: string): number;
  /** The next key, or undefined once the queue is shut down. Each must be given back with done(). */
  next(): Promise<string | undefined>;
  done(key: string): void;
  /** Drops what waits and wakes every waiter. */
  shutdown(): void;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { clock, metrics, baseDelayMs = 5, maxDelayMs = 1_000_000 } = options;
  const ready = new Fifo<string>();
  const dirty = new Map<string, number>();
  const working = new Map<string, number>();
  const delayed = new Map<string, { dueMs: number; timer: Timer }>();
  const failures = new Map<string, number>();
  const waiters = new Fifo<(key: string | undefined) => void>();
  const bucketDelayMs = tokenBucket(clock, options.retriesPerSecond ?? 10, options.retryBurst ?? 100);
  let isShutDown = false;

  const take = (key: string): string => {
    const nowMs = clock.monotonicMs();
    metrics?.waited((nowMs - dirty.get(key)!) / 1000);
    dirty.delete(key);
    working.set(key, nowMs);
    return key;
  };
  const offer = (key: string): void => {
    const waiter = waiters.shift();
    if (waiter !== undefined) waiter(take(key));
    else ready.push(key);
    metrics?.depth(ready.size);
  };
  const add = (key: string): void => {
    if (isShutDown || dirty.has(key)) return;
    metrics?.added();
    dirty.set(key, clock.monotonicMs());
    if (!working.has(key)) offer(key);
  };
  const addAfter = (key: string, delayMs: number): void => {
    if (isShutDown) return;
    if (delayMs <= 0) return add(key);
    const dueMs = clock.monotonicMs() + delayMs;
    const earlier = delayed.get(key);
    if (earlier !== undefined && earlier.dueMs <= dueMs) return;
    earlier?.timer.cancel();
    const timer = clock.after(delayMs, () => {
      delayed.delete(key);
      add(key);
    });
    delayed.set(key, { dueMs, timer });
  };

  return {
    get depth() {
      return ready.size;
    },
    get isShutDown() {
      return isShutDown;
    },
    add,
    addAfter,
    addRateLimited(key) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      metrics?.retried();
      const keyDelayMs = Math.min(baseDelayMs * 2 ** Math.min(count, 40), maxDelayMs);
      addAfter(key, Math.max(keyDelayMs, bucketDelayMs()));
    },
    forget: (key) => void failures.delete(key),
    failures: (key) => failures.get(key) ?? 0,
    async next() {
      if (isShutDown) return undefined;
      const key = ready.shift();
      if (key === undefined) return new Promise((resolve) => waiters.push(resolve));
      metrics?.depth(ready.size);
      return take(key);
    },
    done(key) {
      const startedMs = working.get(key);
      if (startedMs === undefined) return;
      metrics?.worked((clock.monotonicMs() - startedMs) / 1000);
      working.delete(key);
      if (dirty.has(key) && !isShutDown) offer(key);
    },
    shutdown() {
      isShutDown = true;
      for (const { timer } of delayed.values()) timer.cancel();
      delayed.clear();
      dirty.clear();
      ready.clear();
      for (let waiter = waiters.shift(); waiter !== undefined; waiter = waiters.shift()) waiter(undefined);
    },
  };
}

/** Answers how long the next retry must wait so that all together stay below the rate. */
function tokenBucket(clock: Clock, perSecond: number, burst: number): () => number {
  let tokens = burst;
  let lastMs = clock.monotonicMs();
  return () => {
    const nowMs = clock.monotonicMs();
    tokens = Math.min(burst, tokens + ((nowMs - lastMs) / 1000) * perSecond) - 1;
    lastMs = nowMs;
    return tokens >= 0 ? 0 : (-tokens / perSecond) * 1000;
  };
}

/** First in, first out, without moving the rest at each shift. */
class Fifo<T> {
  #items: T[] = [];
  #head = 0;
  get size(): number {
    return this.#items.length - this.#head;
  }
  push(item: T): void {
    this.#items.push(item);
  }
  shift(): T | undefined {
    if (this.#head >= this.#items.length) return undefined;
    const item = this.#items[this.#head++];
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
