// Requests that wait until the cache is as new as they need it, and no longer than upstream lets them.
import type { Clock } from '#lib/clock.ts';
import { tooLargeResourceVersion } from '#api/meta/errors.ts';

export interface RevisionWaiters {
  /** Resolves once the revision is reached; after 3 s throws tooLargeResourceVersion. */
  waitFor(this: void, asked: number): Promise<void>;
  /** Call it whenever the revision moved. */
  wake(): void;
}

const freshnessWaitMs = 3_000;

export function createRevisionWaiters(clock: Clock, current: () => number): RevisionWaiters {
  const waiting = new Set<{ revision: number; resolve: () => void }>();
  return {
    async waitFor(asked) {
      if (asked <= current()) return;
      await new Promise<void>((resolve, reject) => {
        const waiter = {
          revision: asked,
          resolve() {
            timer.cancel();
            resolve();
          },
        };
        const timer = clock.after(freshnessWaitMs, () => {
          waiting.delete(waiter);
          reject(tooLargeResourceVersion(asked, current()));
        });
        waiting.add(waiter);
      });
    },
    wake() {
      for (const waiter of waiting) {
        if (waiter.revision > current()) continue;
        waiting.delete(waiter);
        waiter.resolve();
      }
    },
  };
}
