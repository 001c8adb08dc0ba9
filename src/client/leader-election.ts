// Leader election by a Lease: of several candidates one acts. A lease is judged expired by how long this process has seen it
// unchanged, on the monotonic clock, never by comparing wall clocks: a clock step makes nobody leader and takes nobody's lease.
import type { Lease } from '#api/generated/coordination-v1.ts';
import { leases } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { copyOf } from '#api/meta/object.ts';
import type { Clock } from '#lib/clock.ts';
import { toMicroTime } from '#lib/clock.ts';
import type { Random } from '#lib/random.ts';
import type { Log } from '#lib/log.ts';
import type { Client } from './client.ts';

export interface LeaderElectionOptions {
  client: Client;
  clock: Clock;
  random: Random;
  log: Log;
  lease: { namespace: string; name: string };
  /** Unique among the candidates, over restarts too. */
  identity: string;
  leaseDurationMs?: number;
  /** The leader gives up when it has not renewed for this long; shorter than the lease. */
  renewDeadlineMs?: number;
  retryPeriodMs?: number;
  /** Runs while leading. The signal is aborted when leadership is lost or given up: act no more after that. */
  lead(signal: AbortSignal): void | Promise<void>;
  onLeader?(identity: string): void;
}

export interface LeaderElection {
  /** Whether this candidate holds a lease that cannot have expired yet. Ask before an act that must not happen twice. */
  isLeader(): boolean;
  /** Resolves when this candidate first leads. */
  readonly leading: Promise<void>;
  /** Settles when the candidacy is over: stopped, or leadership lost. A lost leader does not run again: start afresh. */
  readonly done: Promise<'stopped' | 'lost'>;
  /** Gives the lease back, so that the next candidate need not wait. */
  stop(): Promise<void>;
}

interface Observed {
  lease: Lease;
  atMs: number;
}

export function startLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const { clock, random, log, leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options;
  const candidate = createCandidate(options, leaseDurationMs);
  const stopping = new AbortController();
  const leadership = new AbortController();
  const leading = Promise.withResolvers<void>();
  let renewedMs: number | undefined;

  const attempt = async (): Promise<boolean> => {
    const startedMs = clock.monotonicMs();
    try {
      if (!(await candidate.acquireOrRenew())) return false;
      // Counted from before the request: the server may have stored it at any time since.
      renewedMs = startedMs;
      return true;
    } catch (error) {
      log.warn({ err: error, lease: options.lease.name }, 'lease not acquired or renewed');
      return false;
    }
  };
  const pause = (ms: number) => clock.sleep(ms, stopping.signal).catch(() => undefined);

  const run = async (): Promise<'stopped' | 'lost'> => {
    while (!stopping.signal.aborted && !(await attempt())) await pause(retryPeriodMs * (1 + 1.2 * random.next()));
    if (stopping.signal.aborted) return 'stopped';
    log.info({ identity: options.identity, lease: options.lease.name }, 'became leader');
    const work = Promise.resolve(options.lead(leadership.signal));
    work.catch((error: unknown) => log.error({ err: error }, 'leading failed'));
    leading.resolve();
    const deadline = watchdog(
      clock,
      () => (renewedMs ?? 0) + renewDeadlineMs,
      () => leadership.abort(new Error('leadership lost')),
    );
    while (!stopping.signal.aborted && !leadership.signal.aborted) {
      await pause(retryPeriodMs);
      if (!stopping.signal.aborted) await attempt();
    }
    deadline.cancel();
    const lost = leadership.signal.aborted;
    leadership.abort(new Error('stopped leading'));
    await work.catch(() => undefined);
    if (!lost) await candidate.release().catch((error: unknown) => log.warn({ err: error }, 'lease not released'));
    else log.error({ lease: options.lease.name }, 'leadership lost');
    return lost ? 'lost' : 'stopped';
  };
  const done = run();

  return {
    isLeader: () => !leadership.signal.aborted && renewedMs !== undefined && clock.monotonicMs() - renewedMs < leaseDurationMs,
    leading: leading.promise,
    done,
    async stop() {
      stopping.abort(new Error('stopped'));
      await done;
    },
  };
}

/** Calls `expire` once when the deadline, which may move on meanwhile, has passed. */
function watchdog(clock: Clock, deadlineMs: () => number, expire: () => void): { cancel(): void } {
  const check = (): void => {
    const leftMs = deadlineMs() - clock.monotonicMs();
    if (leftMs <= 0) expire();
    else timer = clock.after(leftMs, check);
  };
  let timer = clock.after(Math.max(0, deadlineMs() - clock.monotonicMs()), check);
  return { cancel: () => timer.cancel() };
}

function createCandidate({ client, clock, lease: ref, identity, onLeader }: LeaderElectionOptions, leaseDurationMs: number) {
  let observed: Observed | undefined;

  const observe = (lease: Lease): Observed => {
    const before = observed?.lease.spec;
    if (before?.holderIdentity !== lease.spec.holderIdentity) onLeader?.(lease.spec.holderIdentity ?? '');
    if (observed === undefined || !sameSpec(observed.lease, lease)) observed = { lease, atMs: clock.monotonicMs() };
    else observed = { lease, atMs: observed.atMs };
    return observed;
  };

  return {
    async acquireOrRenew(): Promise<boolean> {
      const now = toMicroTime(clock.now());
      const spec = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000), acquireTime: now, renewTime: now };
      let current: Lease;
      try {
        current = await client.get(leases, ref);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        const lease: Lease = {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { ...ref },
          spec: { ...spec, leaseTransitions: 0 },
        };
        observe(await client.create(leases, lease));
        return true;
      }
      const { atMs } = observe(current);
      const holder = current.spec.holderIdentity ?? '';
      const lastsMs = (current.spec.leaseDurationSeconds ?? 0) * 1000;
      const isMine = holder === identity;
      if (!isMine && holder !== '' && clock.monotonicMs() < atMs + lastsMs) return false;
      const next = copyOf(current);
      next.spec = {
        ...next.spec,
        ...spec,
        acquireTime: isMine ? current.spec.acquireTime : now,
        leaseTransitions: (current.spec.leaseTransitions ?? 0) + (isMine ? 0 : 1),
      };
      // The update carries the resourceVersion that was read: of two candidates one gets a conflict.
      observe(await client.update(leases, next));
      return true;
    },
    async release(): Promise<void> {
      const current = await client.get(leases, ref);
      if (current.spec.holderIdentity !== identity) return;
      const now = toMicroTime(clock.now());
      await client.update(leases, {
        ...current,
        spec: { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now },
      });
    },
  };
}

function sameSpec(a: Lease, b: Lease): boolean {
  return (
    a.spec.holderIdentity === b.spec.holderIdentity &&
    a.spec.renewTime === b.spec.renewTime &&
    a.spec.acquireTime === b.spec.acquireTime &&
    a.metadata.uid === b.metadata.uid
  );
}
