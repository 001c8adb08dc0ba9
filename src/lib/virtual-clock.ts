// Time that is moved by hand: timers fire in order of their due time as `advance` passes them.
import type { Clock, Timer } from './clock.ts';
import { sleepOn } from './clock.ts';

interface Entry {
  dueMs: number;
  sequence: number;
  run: () => void;
  periodMs: number | undefined;
  cancelled: boolean;
}

export interface VirtualClock extends Clock {
  /**
   * Moves time forward by `ms`, firing every timer on the way and letting pending promises settle after each.
   * Awaiting it means: everything that was due has run.
   */
  advance(ms: number): Promise<void>;
  /** Moves to the next timer if one is due within `ms`, else by `ms`; answers whether a timer fired. */
  step(ms: number): Promise<boolean>;
  /** Timers waiting to fire. */
  readonly pending: number;
}

const settleRounds = 4;

export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let nowMs = startMs;
  let sequence = 0;
  const entries: Entry[] = [];

  const add = (delayMs: number, run: () => void, periodMs?: number): Timer => {
    const entry: Entry = { dueMs: nowMs + Math.max(0, delayMs), sequence: sequence++, run, periodMs, cancelled: false };
    insert(entries, entry);
    return {
      cancel() {
        entry.cancelled = true;
      },
    };
  };

  const clock: VirtualClock = {
    now: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    after: (delayMs, run) => add(delayMs, run),
    every: (periodMs, run) => add(periodMs, run, Math.max(1, periodMs)),
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
    async advance(ms) {
      const endMs = nowMs + ms;
      await settle();
      while (await clock.step(endMs - nowMs));
    },
    async step(ms) {
      const endMs = nowMs + ms;
      while (entries[0]?.cancelled) entries.shift();
      const next = entries[0];
      if (next === undefined || next.dueMs > endMs) {
        nowMs = endMs;
        return false;
      }
      entries.shift();
      nowMs = next.dueMs;
      if (next.periodMs !== undefined) {
        next.dueMs += next.periodMs;
        insert(entries, next);
      }
      next.run();
      await settle();
      return true;
    },
    get pending() {
      return entries.filter((entry) => !entry.cancelled).length;
    },
  };
  return clock;
}

/** Lets promise chains and immediate callbacks that the last timer set off run to their next wait. */
async function settle(): Promise<void> {
  for (let round = 0; round < settleRounds; round++) await new Promise((resolve) => setImmediate(resolve));
}

function insert(entries: Entry[], entry: Entry): void {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = entries[middle]!;
    if (other.dueMs < entry.dueMs || (other.dueMs === entry.dueMs && other.sequence < entry.sequence)) low = middle + 1;
    else high = middle;
  }
  entries.splice(low, 0, entry);
}
