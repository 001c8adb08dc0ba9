// Doubling back-off for crashing containers and failing pulls: 10 s, 20 s, … 5 min; forgotten 10 minutes after the last turn.

export interface BackOff {
  delayMs: number;
  updatedAtMs: number;
}

const firstBackOffMs = 10_000;
const maxBackOffMs = 300_000;

/** Until when an event of `eventMs` keeps its cause waiting; undefined: no longer. */
export function backOffUntil(entry: BackOff | undefined, eventMs: number, nowMs: number): number | undefined {
  if (entry === undefined || isForgotten(entry, eventMs)) return undefined;
  const untilMs = eventMs + entry.delayMs;
  return nowMs < untilMs ? untilMs : undefined;
}

/** The entry after another turn at `nowMs`. */
export function nextBackOff(entry: BackOff | undefined, eventMs: number, nowMs: number): BackOff {
  if (entry === undefined || isForgotten(entry, eventMs)) return { delayMs: firstBackOffMs, updatedAtMs: nowMs };
  return { delayMs: Math.min(entry.delayMs * 2, maxBackOffMs), updatedAtMs: nowMs };
}

function isForgotten(entry: BackOff, eventMs: number): boolean {
  return eventMs - entry.updatedAtMs > 2 * maxBackOffMs;
}
