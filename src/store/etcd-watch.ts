// One watch of etcd, resumed on any member at the revision it had reached: no gap, no duplicate, no commit in two pieces.
import type { Clock, Timer } from '#lib/clock.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import { compactedRevisionOf, orCompacted, rangeOf } from './etcd-keys.ts';
import type { EtcdEvent, WatchResponse } from './etcd-messages.ts';
import { CompactedError } from './store.ts';
import type { StoreEvent, WatchSink } from './store.ts';

export interface EtcdWatch {
  close(): void;
  /** Closes it and tells the sink. */
  end(error: Error): void;
}

interface WatchedRange {
  prefix: string;
  /** Events above this revision are wanted. */
  after: number;
  sink: WatchSink;
}

const resumeDelayMs = 50;

export function watchEtcd(connection: EtcdConnection, clock: Clock, { prefix, after, sink }: WatchedRange): EtcdWatch {
  /** Everything up to here has been handed over. */
  let through = after;
  let closed = false;
  let stream: { cancel(): void } | undefined;
  let retry: Timer | undefined;

  const leave = () => {
    const left = stream;
    stream = undefined;
    left?.cancel();
  };
  const close = () => {
    closed = true;
    retry?.cancel();
    leave();
  };
  const end = (error: Error) => {
    if (closed) return;
    close();
    sink.ended(error);
  };
  const resume = () => {
    leave();
    if (!closed) retry = clock.after(resumeDelayMs, () => void start());
  };

  const start = async () => {
    try {
      await checkHistory(connection, through);
      if (!closed) open();
    } catch (error) {
      if (error instanceof CompactedError) end(error);
      else resume();
    }
  };

  const open = () => {
    // No fragments are asked for, so one response holds whole revisions.
    const request = { ...rangeOf(prefix), start_revision: through + 1, progress_notify: true, prev_kv: true };
    const opened = connection.watch(request);
    const mine = opened.stream;
    stream = mine;
    const lost = () => {
      if (stream !== mine) return;
      opened.failed();
      resume();
    };
    mine.on('data', (response: WatchResponse) => {
      if (closed || stream !== mine) return;
      if (response.compact_revision > 0) end(new CompactedError(response.compact_revision));
      else if (response.canceled) lost();
      else if (response.events.length > 0) take(response.events);
      // A progress notification: etcd sends it in turn with the events.
      else if (!response.created) through = Math.max(through, response.header.revision);
    });
    mine.on('error', lost);
    mine.on('end', lost);
  };

  const take = (events: EtcdEvent[]) => {
    if (events.some(lacksPrevious)) {
      // Compacted while it was being read.
      leave();
      void compactedRevisionOf(connection).then((revision) => end(new CompactedError(revision)), resume);
      return;
    }
    const fresh = events.map(toEvent).filter(({ revision }) => revision > through);
    if (fresh.length === 0) return;
    through = fresh.at(-1)!.revision;
    sink.events(fresh);
  };

  void start();
  return { close, end };
}

/** etcd would begin a watch at the compacted revision itself, whose events have lost what they replaced. */
async function checkHistory(connection: EtcdConnection, revision: number): Promise<void> {
  if (revision < 1) return;
  try {
    await orCompacted(connection, connection.call('Range', { ...rangeOf('/'), revision, count_only: true, limit: 1 }));
  } catch (error) {
    if ((error as Error).name !== 'FutureRevisionError') throw error;
  }
}

function lacksPrevious({ type, kv, prev_kv: previous }: EtcdEvent): boolean {
  return previous === null && (type === 'DELETE' || kv.create_revision !== kv.mod_revision);
}

function toEvent({ type, kv, prev_kv: previous }: EtcdEvent): StoreEvent {
  const deleted = type === 'DELETE';
  return {
    type: deleted ? 'delete' : 'put',
    key: kv.key.toString(),
    value: deleted ? previous!.value : kv.value,
    revision: kv.mod_revision,
    previousRevision: previous?.mod_revision ?? 0,
  };
}
