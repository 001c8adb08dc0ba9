// The loop that all controllers share: keys from informer events → queue → reconcile, again later and later while it fails.
// The key is reconcile's only input, so whatever was missed or cut short is made good by the next run.
import { isConflict } from '#api/meta/errors.ts';
import { createWorkQueue } from '#client/workqueue.ts';
import type { ControllerContext, RunningController } from './controller.ts';

/** What a run asks for beyond being done. */
export interface Outcome {
  /** Look again after this long, though nothing changes. */
  requeueAfterMs?: number;
}

export interface ReconcilerOptions {
  /** The controller's name, or `controller_part` where it has several queues. */
  name: string;
  /** Work starts when these hold their first lists. */
  waitFor: readonly { readonly synced: Promise<void> }[];
  reconcile(key: string): Promise<Outcome | undefined | void>;
  workers?: number;
  /** A key is dropped after this many failures in a row, until the next event; unset: never. */
  maxFailures?: number;
  /** Called once, when the caches are filled and before the first reconcile. */
  onSynced?(): void;
}

export interface Reconciler extends RunningController {
  enqueue(key: string): void;
  enqueueAfter(key: string, delayMs: number): void;
}

/** A reconcile that took less than this is cheap enough to be repeated at every event. */
const cheapMs = 4;
const longestRestMs = 100;

export function startReconciler(context: ControllerContext, options: ReconcilerOptions): Reconciler {
  const { clock, metrics } = context;
  const { name, workers = 5, maxFailures = Infinity } = options;
  const log = context.log.with({ controller: name });
  const queue = createWorkQueue({ clock, metrics: metrics?.queue(name) });
  const rests = new Map<string, number>();

  /** A dear key (a set of thousands of pods) rests twice as long as its last run took, so that the events of a burst are gathered. */
  const enqueue = (key: string): void => {
    const restMs = (rests.get(key) ?? 0) - clock.monotonicMs();
    if (restMs > 0) return queue.addAfter(key, restMs);
    rests.delete(key);
    queue.add(key);
  };
  const letRest = (key: string, tookMs: number): void => {
    if (tookMs >= cheapMs) rests.set(key, clock.monotonicMs() + Math.min(longestRestMs, 2 * tookMs));
  };

  const process = async (key: string): Promise<void> => {
    const startedMs = clock.monotonicMs();
    const seconds = () => (clock.monotonicMs() - startedMs) / 1000;
    try {
      const outcome = await options.reconcile(key);
      queue.forget(key);
      if (outcome?.requeueAfterMs !== undefined) queue.addAfter(key, outcome.requeueAfterMs);
      metrics?.reconciled(name, outcome?.requeueAfterMs === undefined ? 'success' : 'requeue_after', seconds());
    } catch (error) {
      if (queue.isShutDown) return;
      metrics?.reconciled(name, 'error', seconds());
      // A conflict says that the cache was behind; the event that brings it up to date is on its way.
      if (isConflict(error)) log.debug({ key, err: error }, 'conflict, will be repeated');
      else log.warn({ key, err: error }, 'reconcile failed, will be repeated');
      if (queue.failures(key) < maxFailures) queue.addRateLimited(key);
      else queue.forget(key);
    }
  };
  const work = async (): Promise<void> => {
    for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
      const startedMs = clock.monotonicMs();
      await process(key);
      letRest(key, clock.monotonicMs() - startedMs);
      queue.done(key);
    }
  };
  const run = async (): Promise<void> => {
    await Promise.all(options.waitFor.map((informer) => informer.synced));
    options.onSynced?.();
    await Promise.all(Array.from({ length: workers }, work));
  };
  const running = run().catch((error: unknown) => {
    if (!queue.isShutDown) log.error({ err: error }, 'controller ended');
  });

  return {
    enqueue,
    enqueueAfter: queue.addAfter,
    async stop() {
      queue.shutdown();
      await running;
    },
  };
}

/** Stops several parts as one; handlers are taken off first so that nothing new is queued. */
export function stopTogether(handlers: (() => void)[], running: RunningController[]): RunningController {
  return {
    async stop() {
      for (const remove of handlers) remove();
      await Promise.all(running.map((part) => part.stop()));
    },
  };
}
