// The host's way to load balancer addresses: a route per address over the nodes that can serve it; the nodes' own rules do the rest.
import { endpointslices, nodes, services } from '#api/generated/resources.ts';
import type { Informers } from '#client/informer.ts';
import type { Clock } from '#lib/clock.ts';
import { run } from '#lib/command.ts';
import type { Log } from '#lib/log.ts';
import type { Cidr } from '../ipam/cidr.ts';
import { contains, parseAddress } from '../ipam/cidr.ts';
import { planRoutes } from './assign.ts';

export interface RouteOptions {
  informers: Informers;
  clock: Clock;
  log: Log;
  /** The cluster's subnet and the host's device in it. */
  subnet: Cidr;
  link: string;
}

/** Marks our routes, so that those of a daemon that was killed are found. */
const routeProtocol = '107';
const gatherMs = 50;
const retryMs = 2000;

/** Keeps the host's routes; answers how to stop. Routes stay then, as connections do. */
export function startLoadBalancerRoutes(options: RouteOptions): () => void {
  const { informers, clock, log } = options;
  const sources = { services: informers.informer(services), slices: informers.informer(endpointslices), nodes: informers.informer(nodes) };
  let present: Map<string, string> | undefined;
  let scheduled = false;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();

  const sync = async (): Promise<void> => {
    scheduled = false;
    if (stopped || !Object.values(sources).every((informer) => informer.hasSynced)) return;
    const wanted = planRoutes({ services: sources.services.list(), endpointSlices: sources.slices.list(), nodes: sources.nodes.list() });
    try {
      present ??= await presentRoutes(options);
      for (const [address, hops] of wanted) {
        const text = hops.join();
        if (present.get(address) === text) continue;
        await run('ip', ['route', 'replace', `${address}/32`, 'proto', routeProtocol, ...hopArguments(hops, options.link)]);
        present.set(address, text);
      }
      for (const address of [...present.keys()]) {
        if (wanted.has(address)) continue;
        await run('ip', ['route', 'delete', `${address}/32`, 'proto', routeProtocol]);
        present.delete(address);
      }
    } catch (error) {
      present = undefined;
      log.warn({ error: (error as Error).message }, 'routes to load balancers not set');
      schedule(retryMs);
    }
  };
  const schedule = (delayMs: number): void => {
    if (scheduled || stopped) return;
    scheduled = true;
    clock.after(delayMs, () => {
      running = running.then(sync);
    });
  };
  const changed = () => schedule(gatherMs);
  const handlers = { added: changed, updated: changed, deleted: changed };
  const off = [sources.services.addHandlers(handlers), sources.slices.addHandlers(handlers), sources.nodes.addHandlers(handlers)];
  return () => {
    stopped = true;
    for (const remove of off) remove();
  };
}

function hopArguments(hops: string[], link: string): string[] {
  // Packets of one connection keep to one node: the kernel spreads by addresses.
  if (hops.length === 1) return ['via', hops[0]!, 'dev', link];
  return hops.flatMap((hop) => ['nexthop', 'via', hop, 'dev', link]);
}

async function presentRoutes({ subnet }: RouteOptions): Promise<Map<string, string>> {
  const text = await run('ip', ['-j', '-4', 'route', 'show', 'proto', routeProtocol]);
  const routes = JSON.parse(text || '[]') as { dst: string; gateway?: string; nexthops?: { gateway: string }[] }[];
  const found = new Map<string, string>();
  for (const { dst, gateway, nexthops } of routes) {
    const address = parseAddress(dst);
    if (address === undefined || !contains(subnet, address)) continue;
    found.set(dst, (nexthops?.map((hop) => hop.gateway) ?? [gateway ?? '']).sort().join());
  }
  return found;
}
