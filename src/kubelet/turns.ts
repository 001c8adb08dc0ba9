// Work in turns: never two at a time, however often it is asked for; asked for during a turn it has one more. A turn that fails is
// had again a little later.
import type { Clock, Timer } from '#lib/clock.ts';

export interface Turns {
  /** Look again: now, or when the turn under way is over. */
  kick(): void;
  /** Look again at this time, which replaces any other; undefined: only when kicked. */
  wakeAt(ms: number | undefined): void;
  /** No turn begins any more. */
  stop(): void;
}

const errorRetryMs = 1000;

export function createTurns(clock: Clock, turn: () => Promise<void>, failed: (error: unknown) => void): Turns {
  let state: 'idle' | 'running' | 'again' | 'stopped' = 'idle';
  let timer: Timer | undefined;
  const current = (): string => state;

  const wakeAt = (ms: number | undefined): void => {
    timer?.cancel();
    timer = ms === undefined || state === 'stopped' ? undefined : clock.after(Math.max(0, ms - clock.now()), kick);
  };
  const work = async (): Promise<void> => {
    do {
      state = 'running';
      try {
        await turn();
      } catch (error) {
        if (current() === 'stopped') return;
        failed(error);
        wakeAt(clock.now() + errorRetryMs);
      }
    } while (current() === 'again');
    if (current() !== 'stopped') state = 'idle';
  };
  const kick = (): void => {
    if (state === 'running') state = 'again';
    if (state === 'idle') void work();
  };
  return {
    kick,
    wakeAt,
    stop() {
      state = 'stopped';
      timer?.cancel();
    },
  };
}
