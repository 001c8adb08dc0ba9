// Which endpoints a node sends a service's traffic to: upstream's rules for readiness, terminating endpoints and traffic policies. Pure.
import type { Service, ServicePort } from '#api/generated/core-v1.ts';
import type { EndpointSlice } from '#api/generated/discovery-v1.ts';

export interface EndpointTarget {
  address: string;
  port: number;
}

export interface PortTargets {
  /** Where traffic may go anywhere in the cluster. */
  cluster: EndpointTarget[];
  /** Those on this node. */
  local: EndpointTarget[];
  /** Whether any endpoint could take traffic: none at all is refused, none here is dropped. */
  any: boolean;
}

interface Candidate extends EndpointTarget {
  local: boolean;
  ready: boolean;
  terminating: boolean;
}

/** Slices by `namespace/service`. */
export function groupSlices(slices: readonly EndpointSlice[]): Map<string, EndpointSlice[]> {
  const groups = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const service = slice.metadata.labels?.['kubernetes.io/service-name'];
    if (service === undefined || slice.addressType !== 'IPv4') continue;
    const key = `${slice.metadata.namespace}/${service}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [slice]);
    else group.push(slice);
  }
  return groups;
}

export function targetsOf(port: ServicePort, slices: readonly EndpointSlice[], nodeName: string): PortTargets {
  const candidates = candidatesOf(port, slices, nodeName);
  const cluster = usable(candidates);
  return { cluster, local: usable(candidates.filter((candidate) => candidate.local)), any: cluster.length > 0 };
}

/** kube-proxy leaves these to others, or to nobody. */
export function isProxied(service: Service): boolean {
  const { clusterIP, type } = service.spec;
  if (clusterIP === undefined || clusterIP === '' || clusterIP === 'None' || type === 'ExternalName') return false;
  return service.metadata.labels?.['service.kubernetes.io/service-proxy-name'] === undefined;
}

/** Ready ones; if there are none, those that still serve while they terminate. */
function usable(candidates: Candidate[]): EndpointTarget[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  return (ready.length > 0 ? ready : candidates.filter((candidate) => candidate.terminating)).map(({ address, port }) => ({
    address,
    port,
  }));
}

function candidatesOf(port: ServicePort, slices: readonly EndpointSlice[], nodeName: string): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    const match = slice.ports?.find(
      (candidate) => (candidate.name ?? '') === (port.name ?? '') && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    );
    if (match?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const { ready, serving, terminating } = endpoint.conditions ?? {};
      const isReady = ready ?? true;
      const isTerminating = (terminating ?? false) && (serving ?? isReady);
      const address = endpoint.addresses[0];
      if (address === undefined || !(isReady || isTerminating)) continue;
      const key = `${address}:${match.port}`;
      // The same endpoint may stand in two slices while the controller moves it: ready wins.
      const known = found.get(key);
      if (known === undefined || (!known.ready && isReady)) {
        found.set(key, { address, port: match.port, local: endpoint.nodeName === nodeName, ready: isReady, terminating: isTerminating });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port));
}
