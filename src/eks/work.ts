// Work that goes on behind a resource's status: one piece at a time per key, and a way to wait for it.
import type { Clock } from '#lib/clock.ts';

export interface WorkTracker {
  /** Runs `work` after whatever is under way for `key`. `work` handles its own failures. */
  start(key: string, work: () => Promise<void>): void;
  /** Resolves when nothing is under way for `key`, or after `patienceMs`. */
  settled(key: string): Promise<void>;
  /** Resolves when nothing is under way at all. */
  idle(): Promise<void>;
}

/** Shorter than every SDK's read timeout: whoever asks during long work still gets the state as it stands. */
const patienceMs = 20_000;

export function trackWork(clock: Clock): WorkTracker {
  const running = new Map<string, Promise<void>>();
  return {
    start(key, work) {
      const done = (running.get(key) ?? Promise.resolve()).then(work).finally(() => {
        if (running.get(key) === done) running.delete(key);
      });
      running.set(key, done);
    },
    async settled(key) {
      const done = running.get(key);
      if (done === undefined) return;
      await Promise.race([done, clock.sleep(patienceMs)]);
    },
    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}
