// Events: what happened to an object, told fire-and-forget. Repetitions are counted, floods are combined, then dropped.
// The limits are client-go's EventCorrelator's.
import type { Event, ObjectReference } from '#api/generated/core-v1.ts';
import { events } from '#api/generated/resources.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { ApiError, isNotFound } from '#api/meta/errors.ts';
import type { Clock } from '#lib/clock.ts';
import { toTime } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Client } from './client.ts';
import type { Correlated } from './event-correlator.ts';
import { createEventCorrelator } from './event-correlator.ts';

export interface EventRecorder {
  /** Never throws and never waits. The object must carry its apiVersion and kind. */
  event(regarding: KubeObject | ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Resolves when all that was recorded so far has been sent or given up. */
  flushed(): Promise<void>;
  /** Sends nothing more. */
  stop(): void;
}

export interface EventRecorderOptions {
  client: Client;
  clock: Clock;
  log: Log;
  /** `deployment-controller`, `kubelet`, … */
  component: string;
  /** The node, for components that run on one. */
  host?: string;
}

/** More than this many waiting events are dropped: the API server is slower than the trouble that is reported. */
const queueLimit = 1000;
const attempts = 5;
const retryDelayMs = 1000;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, log, component, host } = options;
  const correlate = createEventCorrelator(clock);
  const stopping = new AbortController();
  let waiting = 0;
  let dropped = 0;
  let counter = 0;
  // The owner of every send: one after the other, so that counts arrive in order.
  let tail: Promise<void> = Promise.resolve();

  const enqueue = (event: Event): void => {
    if (waiting >= queueLimit) {
      dropped++;
      return;
    }
    waiting++;
    tail = tail.then(async () => {
      waiting--;
      if (stopping.signal.aborted) return;
      if (waiting === 0 && dropped > 0) {
        log.warn({ dropped }, 'events dropped, the queue was full');
        dropped = 0;
      }
      const correlated = correlate(event);
      if (correlated !== undefined) await send(correlated, { client, clock, log, signal: stopping.signal });
    });
  };

  return {
    event(regarding, type, reason, message) {
      if (stopping.signal.aborted) return;
      const involvedObject = 'metadata' in regarding ? referenceOf(regarding) : regarding;
      const now = toTime(clock.now());
      enqueue({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: {
          name: `${involvedObject.name}.${hexOfNow(clock, counter++)}`,
          namespace: involvedObject.namespace || 'default',
        },
        involvedObject,
        reason,
        message,
        source: { component, ...(host && { host }) },
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
        type,
        reportingComponent: component,
        reportingInstance: host ?? '',
      });
    },
    flushed: () => tail,
    stop: () => stopping.abort(new Error('event recorder stopped')),
  };
}

/** How an event names an object. */
function referenceOf(object: KubeObject): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    kind: object.kind,
    apiVersion: object.apiVersion,
    name,
    ...(namespace && { namespace }),
    ...(uid && { uid }),
    ...(resourceVersion && { resourceVersion }),
  };
}

/** Nanoseconds since the epoch in hex, as upstream's names end; `counter` keeps two of one millisecond apart. */
function hexOfNow(clock: Clock, counter: number): string {
  return (BigInt(Math.floor(clock.now())) * 1_000_000n + BigInt(counter % 1_000_000)).toString(16);
}

interface Sending {
  client: Client;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

async function send(correlated: Correlated, { client, clock, log, signal }: Sending): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      correlated.stored(await write(client, correlated));
      return;
    } catch (error) {
      // What the server refuses for good is not asked again; the rest may be an outage.
      const refused = error instanceof ApiError && error.code < 500 && error.code !== 429;
      if (refused || attempt === attempts) {
        log.warn({ err: error, event: correlated.event.message }, 'event not recorded');
        return;
      }
      await clock.sleep(retryDelayMs * attempt, signal).catch(() => undefined);
    }
  }
}

async function write(client: Client, { event, isRepeated }: Correlated): Promise<Event> {
  if (!isRepeated) return client.create(events, event);
  const body = { count: event.count, lastTimestamp: event.lastTimestamp, message: event.message };
  const { namespace, name } = event.metadata;
  try {
    return await client.patch(events, { namespace, name: name! }, { type: 'strategic', body });
  } catch (error) {
    // The event has expired on the server: it starts again, with its count.
    if (isNotFound(error)) return client.create(events, event);
    throw error;
  }
}
