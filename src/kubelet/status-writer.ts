// Writes pods' statuses: one write a pod at a time, only what changed, the latest wins. A status that is about to be overtaken waits a
// moment, so that a pod that comes up at once is written once.
import type { Pod, PodStatus } from '#api/generated/core-v1.ts';
import { pods } from '#api/generated/resources.ts';
import { isConflict, isNotFound } from '#api/meta/errors.ts';
import type { Client } from '#client/client.ts';
import type { Clock, Timer } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import { statusPatch } from './status-patch.ts';

export interface StatusWriter {
  /** `settled`: nothing is under way that would soon change it. */
  report(pod: Pod, status: PodStatus, settled: boolean): void;
  /** Resolves when what was reported last has been written or the pod is gone. */
  flushed(uid: string): Promise<void>;
  /** The server's word as the watch brings it; answers whether it is later than what is known. */
  observe(pod: Pod): boolean;
  /** The pod with the status as last written: newer than the watch's, where the watch lags behind. */
  latest(pod: Pod): Pod;
  forget(uid: string): void;
  stop(): void;
}

interface Entry {
  /** As the server last answered or told. */
  seen: Pod;
  wanted?: PodStatus;
  timer?: Timer;
  writing?: Promise<void>;
  failures: number;
  gone: boolean;
}

const gatherMs = 10;
const firstRetryMs = 250;
const lastRetryMs = 30_000;

export function createStatusWriter({ client, clock, log }: { client: Client; clock: Clock; log: Log }): StatusWriter {
  const entries = new Map<string, Entry>();
  let stopped = false;

  const entryOf = (pod: Pod): Entry => {
    let entry = entries.get(pod.metadata.uid!);
    if (entry === undefined) {
      entry = { seen: pod, failures: 0, gone: false };
      entries.set(pod.metadata.uid!, entry);
    }
    return entry;
  };
  const see = (entry: Entry, pod: Pod): boolean => {
    const isNews = revisionOf(pod) > revisionOf(entry.seen);
    if (isNews) entry.seen = pod;
    return isNews;
  };
  const later = (entry: Entry, delayMs: number): void => {
    entry.timer ??= clock.after(delayMs, () => {
      delete entry.timer;
      start(entry);
    });
  };
  const start = (entry: Entry): void => {
    entry.timer?.cancel();
    delete entry.timer;
    if (stopped || entry.writing !== undefined || entry.wanted === undefined || entry.gone) return;
    entry.writing = write(entry).finally(() => {
      delete entry.writing;
      if (entry.wanted !== undefined && entry.timer === undefined) start(entry);
    });
  };
  const write = async (entry: Entry): Promise<void> => {
    const status = entry.wanted!;
    const pod = entry.seen;
    const body = statusPatch(pod, pod.status ?? {}, status);
    delete entry.wanted;
    if (body === undefined) return;
    const ref = { namespace: pod.metadata.namespace!, name: pod.metadata.name! };
    try {
      see(entry, await client.patch(pods, ref, { type: 'strategic', body }, { subresource: 'status' }));
      entry.failures = 0;
    } catch (error) {
      // Not found: the pod is gone. Conflict: another pod has its name by now.
      if (isNotFound(error) || isConflict(error)) {
        entry.gone = true;
        return;
      }
      entry.wanted ??= status;
      log.warn({ err: error, pod: `${ref.namespace}/${ref.name}` }, 'status not written, will be tried again');
      later(entry, Math.min(firstRetryMs * 2 ** entry.failures++, lastRetryMs));
    }
  };

  return {
    report(pod, status, settled) {
      const entry = entryOf(pod);
      see(entry, pod);
      entry.wanted = status;
      if (settled && entry.failures === 0) start(entry);
      else later(entry, gatherMs);
    },
    async flushed(uid) {
      const entry = entries.get(uid);
      while (entry !== undefined && !stopped && !entry.gone && (entry.writing !== undefined || entry.wanted !== undefined)) {
        start(entry);
        if (entry.writing === undefined) await clock.sleep(firstRetryMs);
        else await entry.writing;
      }
    },
    observe: (pod) => see(entryOf(pod), pod),
    latest(pod) {
      const seen = entries.get(pod.metadata.uid!)?.seen;
      return seen !== undefined && revisionOf(seen) > revisionOf(pod) ? seen : pod;
    },
    forget(uid) {
      const entry = entries.get(uid);
      entry?.timer?.cancel();
      if (entry !== undefined) entry.gone = true;
      entries.delete(uid);
    },
    stop() {
      stopped = true;
      for (const entry of entries.values()) entry.timer?.cancel();
      entries.clear();
    },
  };
}

function revisionOf(pod: Pod): number {
  return Number(pod.metadata.resourceVersion ?? 0);
}
