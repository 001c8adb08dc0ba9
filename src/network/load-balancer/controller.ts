// The service controller: gives Services of type LoadBalancer an address of the cluster's subnet. One pass looks at all of them, as
// addresses are one pool; what is written is only the status.
import type { Service } from '#api/generated/core-v1.ts';
import { services } from '#api/generated/resources.ts';
import { isConflict, isNotFound } from '#api/meta/errors.ts';
import { copyOf, keyOf } from '#api/meta/object.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Informers } from '#client/informer.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { AddressChange } from './assign.ts';
import { addressOf, assignAddresses } from './assign.ts';

export interface LoadBalancerOptions {
  client: Client;
  informers: Informers;
  events: EventRecorder;
  clock: Clock;
  log: Log;
  range: { first: number; last: number };
}

const retryMs = 5000;

/** Answers how to stop. */
export function startLoadBalancer(options: LoadBalancerOptions): () => void {
  const { informers, clock, log } = options;
  const informer = informers.informer(services);
  /** Problems told already, by service: once is enough until they change. */
  const told = new Map<string, string>();
  let scheduled = false;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();

  const pass = async (): Promise<void> => {
    scheduled = false;
    if (stopped || !informer.hasSynced) return;
    for (const change of assignAddresses(informer.list(), options.range)) {
      try {
        await apply(options, change, told);
      } catch (error) {
        if (isNotFound(error)) continue;
        // A conflict means that a newer state is on its way: it starts the next pass.
        if (!isConflict(error)) log.warn({ service: keyOf(change.service), error: (error as Error).message }, 'load balancer not synced');
        schedule(isConflict(error) ? 100 : retryMs);
      }
    }
  };
  const schedule = (delayMs: number): void => {
    if (scheduled || stopped) return;
    scheduled = true;
    clock.after(delayMs, () => {
      running = running.then(pass);
    });
  };
  const changed = () => schedule(0);
  const off = informer.addHandlers({
    added: changed,
    updated: changed,
    deleted(service) {
      told.delete(keyOf(service));
      changed();
    },
  });
  void informer.synced.then(changed, () => undefined);
  return () => {
    stopped = true;
    off();
  };
}

async function apply(options: LoadBalancerOptions, change: AddressChange, told: Map<string, string>): Promise<void> {
  const { client, events } = options;
  const { service, address, problem } = change;
  const regarding = { apiVersion: 'v1', kind: 'Service', ...service };
  if (problem !== undefined) {
    if (told.get(keyOf(service)) === problem) return;
    told.set(keyOf(service), problem);
    events.event(regarding, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: failed to ensure load balancer: ${problem}`);
    return;
  }
  const [before, after] = address === undefined ? ['Deleting', 'Deleted'] : ['Ensuring', 'Ensured'];
  events.event(regarding, 'Normal', `${before}LoadBalancer`, `${before} load balancer`);
  if (addressOf(service) !== address) await client.update(services, withAddress(service, address), { subresource: 'status' });
  told.delete(keyOf(service));
  events.event(regarding, 'Normal', `${after}LoadBalancer`, `${after} load balancer`);
}

function withAddress(service: Service, address: string | undefined): Service {
  const changed = copyOf(service);
  changed.status = { ...changed.status, loadBalancer: address === undefined ? {} : { ingress: [{ ip: address, ipMode: 'VIP' }] } };
  return changed;
}
