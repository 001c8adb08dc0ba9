// How long a failed daemon pod is left alone before it is replaced: twice as long each time, from one second to a quarter of an hour.
import type { Clock } from '#lib/clock.ts';

export interface FailedPods {
  /** Zero: replace it now, and wait longer the next time. */
  waitMs(key: string): number;
}

const firstMs = 1000;
const maxMs = 15 * 60_000;

export function createFailedPods(clock: Clock): FailedPods {
  const backoffs = new Map<string, { delayMs: number; sinceMs: number }>();
  const isForgotten = (sinceMs: number): boolean => clock.monotonicMs() - sinceMs > 2 * maxMs;
  return {
    waitMs(key) {
      const nowMs = clock.monotonicMs();
      const last = backoffs.get(key);
      if (last !== undefined && !isForgotten(last.sinceMs)) {
        const left = last.sinceMs + last.delayMs - nowMs;
        if (left > 0) return left;
        backoffs.set(key, { delayMs: Math.min(2 * last.delayMs, maxMs), sinceMs: nowMs });
        return 0;
      }
      for (const [other, { sinceMs }] of backoffs) if (isForgotten(sinceMs)) backoffs.delete(other);
      backoffs.set(key, { delayMs: firstMs, sinceMs: nowMs });
      return 0;
    },
  };
}
