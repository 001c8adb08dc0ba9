// Which Service of type LoadBalancer has which address, and which nodes take its traffic. Pure.
import type { Node, Service } from '#api/generated/core-v1.ts';
import type { EndpointSlice } from '#api/generated/discovery-v1.ts';
import { isConditionTrue } from '#api/meta/conditions.ts';
import { keyOf } from '#api/meta/object.ts';
import { createAddressPool } from '../ipam/address-pool.ts';

export interface AddressChange {
  service: Service;
  /** Undefined: the service gives its address back. */
  address: string | undefined;
  /** Set when no address can be given. */
  problem?: string;
}

/** What must be written so that each service has one address of the range, kept where it has one already. */
export function assignAddresses(services: readonly Service[], range: { first: number; last: number }): AddressChange[] {
  const pool = createAddressPool(range);
  const changes: AddressChange[] = [];
  const waiting: Service[] = [];
  // The older service keeps an address that two of them claim.
  const byAge = [...services].sort((a, b) => compare(ageOf(a), ageOf(b)));
  for (const service of byAge) {
    const address = addressOf(service);
    if (!isBalanced(service)) {
      if (address !== undefined && service.spec.loadBalancerClass === undefined) changes.push({ service, address: undefined });
    } else if (address === undefined || !wantsThis(service, address) || !pool.reserve(address)) waiting.push(service);
  }
  for (const service of waiting) changes.push(newAddress(service, pool));
  return changes;
}

function newAddress(service: Service, pool: ReturnType<typeof createAddressPool>): AddressChange {
  const wanted = service.spec.loadBalancerIP;
  if (wanted) {
    if (pool.reserve(wanted)) return { service, address: wanted };
    return { service, address: undefined, problem: `the address ${wanted} is not free in the cluster's subnet` };
  }
  const address = pool.allocate();
  if (address !== undefined) return { service, address };
  return { service, address: undefined, problem: "no address is left in the cluster's subnet" };
}

const wantsThis = (service: Service, address: string): boolean => !service.spec.loadBalancerIP || service.spec.loadBalancerIP === address;

/** Services with a class belong to a controller of that class. */
function isBalanced(service: Service): boolean {
  const { spec, metadata } = service;
  return spec.type === 'LoadBalancer' && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined;
}

export function addressOf(service: Service): string | undefined {
  return service.status?.loadBalancer?.ingress?.[0]?.ip;
}

const ageOf = (service: Service): string => `${service.metadata.creationTimestamp ?? ''} ${keyOf(service)}`;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Address → the nodes that the host hands its packets to, by their addresses. Services that no node can serve are left out. */
export function planRoutes(options: {
  services: readonly Service[];
  endpointSlices: readonly EndpointSlice[];
  nodes: readonly Node[];
}): Map<string, string[]> {
  const nodes = options.nodes.filter(isEligible);
  const routes = new Map<string, string[]>();
  for (const service of options.services) {
    const address = addressOf(service);
    if (address === undefined || !isBalanced(service)) continue;
    const local = service.spec.externalTrafficPolicy === 'Local' ? nodesWithEndpoints(service, options.endpointSlices) : undefined;
    const chosen = nodes.filter(({ metadata }) => local === undefined || local.has(metadata.name!));
    const hops = chosen.flatMap(({ status }) => status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? []).sort();
    if (hops.length > 0) routes.set(address, hops);
  }
  return routes;
}

function isEligible({ metadata, status }: Node): boolean {
  if (metadata.labels?.['node.kubernetes.io/exclude-from-external-load-balancers'] !== undefined) return false;
  return isConditionTrue(status?.conditions, 'Ready');
}

function nodesWithEndpoints(service: Service, slices: readonly EndpointSlice[]): Set<string> {
  const { name, namespace } = service.metadata;
  const own = slices.filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.['kubernetes.io/service-name'] === name);
  const ready = own.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready ?? true);
  return new Set(ready.flatMap(({ nodeName }) => nodeName ?? []));
}
