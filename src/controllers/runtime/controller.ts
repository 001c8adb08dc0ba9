// What a controller is and what it is handed: the contract between the controller manager and each controller.
import type { ResourceType } from '#api/meta/object.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Informers } from '#client/informer.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import type { ControllerMetrics } from './metrics.ts';

export interface ControllerContext {
  /** Acts with the controller's own identity. */
  client: Client;
  /** Shared by all controllers; what they hold is frozen. */
  informers: Informers;
  clock: Clock;
  random: Random;
  log: Log;
  events: EventRecorder;
  metrics?: ControllerMetrics;
  /** Every resource that is served and can be listed and deleted: what namespace deletion and garbage collection work on. */
  resources: readonly ResourceType[];
  /** PEM of the authority that signed the API server's certificate; unset where it listens on no port. */
  rootCa?: string;
}

export interface RunningController {
  /** Resolves when no work is under way any more. */
  stop(): Promise<void>;
}

export interface Controller {
  /** The folder, the log field and the metric label. */
  readonly name: string;
  /** The service account in kube-system that upstream's controller roles are bound to; also the component that its events name. */
  readonly serviceAccount: string;
  start(context: ControllerContext): RunningController;
}
