// The controller manager: starts every controller in order once this process leads, each with an identity of its own.
import type { Registry } from 'prom-client';
import type { ResourceType } from '#api/meta/object.ts';
import type { Client } from '#client/client.ts';
import { createEventRecorder } from '#client/events.ts';
import { createInformers } from '#client/informer.ts';
import { startLeaderElection } from '#client/leader-election.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import type { Controller } from './controller.ts';
import { createControllerMetrics } from './metrics.ts';

export interface ControllerManagerOptions {
  /** The manager's own: reads everything and holds the lease (user `system:kube-controller-manager`). */
  client: Client;
  /** A client that acts as `system:serviceaccount:kube-system:NAME`. */
  clientFor(serviceAccount: string): Client;
  controllers: readonly Controller[];
  clock: Clock;
  random: Random;
  log: Log;
  /** Where metrics are counted; unset: they are not. */
  registry?: Registry;
  resources: readonly ResourceType[];
  /** PEM of the authority that pods trust the API server by. */
  rootCa?: string;
  /** With an identity the manager takes part in an election and works only while it leads; without it works at once. */
  leaderElection?: { identity: string };
}

export interface ControllerManager {
  /** Resolves when the controllers have been started. */
  readonly started: Promise<void>;
  /** Settles when the manager is over; `lost` when another may lead now: the process should start afresh. */
  readonly done: Promise<'stopped' | 'lost'>;
  stop(): Promise<void>;
}

const lease = { namespace: 'kube-system', name: 'kube-controller-manager' };

export function startControllerManager(options: ControllerManagerOptions): ControllerManager {
  const { client, clock, random, log, leaderElection } = options;
  if (leaderElection !== undefined) {
    const lead = (signal: AbortSignal) => runUntil(signal, startControllers(options));
    const election = startLeaderElection({ client, clock, random, log, lease, identity: leaderElection.identity, lead });
    return { started: election.leading, done: election.done, stop: election.stop };
  }
  const stopControllers = startControllers(options);
  const done = Promise.withResolvers<'stopped'>();
  return {
    started: Promise.resolve(),
    done: done.promise,
    async stop() {
      await stopControllers();
      done.resolve('stopped');
    },
  };
}

function runUntil(signal: AbortSignal, stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => void stop().then(resolve, reject);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

/** Answers how to stop them all. */
function startControllers(options: ControllerManagerOptions): () => Promise<void> {
  const { clock, random, log, registry, resources, rootCa } = options;
  const informers = createInformers(options.client, { clock, random, log: log.with({ component: 'informer' }) });
  const metrics = registry === undefined ? undefined : createControllerMetrics(registry);
  const started = options.controllers.map((controller) => {
    const client = options.clientFor(controller.serviceAccount);
    const events = createEventRecorder({ client, clock, log, component: controller.serviceAccount });
    const running = controller.start({ client, informers, clock, random, log, events, metrics, resources, rootCa });
    return { running, events };
  });
  informers.start();
  return async () => {
    for (const { events } of started) events.stop();
    const stopped = Promise.all(started.map(({ running }) => running.stop()));
    informers.stop();
    await stopped;
  };
}
