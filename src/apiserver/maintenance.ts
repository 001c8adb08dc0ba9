// The loops of a running server: old revisions and old events are forgotten.
import { events } from '#api/generated/resources.ts';
import type { Core } from './registry/core.ts';

/** How far back watches and lists at a revision can reach. */
const historyMs = 5 * 60_000;
const compactionPeriodMs = 60_000;
const eventLifetimeMs = 3_600_000;
const eventSweepPeriodMs = 60_000;
const deletesPerCommit = 500;

/** Answers how to stop. */
export function startMaintenance(core: Core): () => void {
  const compact = createCompaction(core);
  const timers = [
    core.clock.every(compactionPeriodMs, () => guard(core, 'compaction', compact)),
    core.clock.every(eventSweepPeriodMs, () => guard(core, 'event sweep', () => sweepEvents(core))),
  ];
  return () => {
    for (const timer of timers) timer.cancel();
  };
}

/** Remembers which revision was the latest at each tick, and compacts to the one that has become old enough. */
function createCompaction(core: Core): () => Promise<void> {
  const seen: { atMs: number; revision: number }[] = [];
  return async () => {
    const nowMs = core.clock.now();
    core.world.expireEvents(historyMs);
    const old = seen.findLastIndex(({ atMs }) => atMs <= nowMs - historyMs);
    const due = seen[old];
    seen.splice(0, old + 1);
    seen.push({ atMs: nowMs, revision: core.world.revision });
    if (due !== undefined) await core.store.compact(due.revision);
  };
}

async function sweepEvents(core: Core): Promise<void> {
  const resource = core.resources.find(events.group, events.version, events.plural);
  if (resource === undefined) return;
  const bornBeforeMs = core.clock.now() - eventLifetimeMs;
  const old = core.world
    .cache(resource.prefix)
    .list({})
    .filter(({ object }) => lastSeenMs(object) < bornBeforeMs);
  for (let from = 0; from < old.length; from += deletesPerCommit) {
    const writes = old.slice(from, from + deletesPerCommit).map(({ key }) => ({ key, delete: true as const }));
    await core.store.commit({ compare: [], writes });
  }
}

/** An event that is written again lives on: its lifetime counts from the last write. */
function lastSeenMs(object: { metadata: { creationTimestamp?: string }; lastTimestamp?: string; eventTime?: string }): number {
  const times = [object.metadata.creationTimestamp, object.lastTimestamp, object.eventTime].map((text) => (text ? Date.parse(text) : 0));
  return Math.max(...times);
}

function guard(core: Core, what: string, run: () => Promise<void>): void {
  run().catch((error: Error) => core.log.error({ error: error.message }, `${what} failed`));
}
