// The Endpoints of a service: its pods' addresses, grouped by the ports that they answer on. The older sibling of EndpointSlice.
import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from '#api/generated/core-v1.ts';
import { isPodReady, isPodTerminal } from '#api/core/pod-state.ts';
import { addressesOf, headlessLabel, hostnameIn, isHeadless, isIpv6, targetPortOf } from '../runtime/service-pods.ts';

export const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
const managedByLabel = 'endpoints.kubernetes.io/managed-by';
const maxAddresses = 1000;

export function subsetsOf(service: Service, pods: readonly Pod[]): { subsets: EndpointSubset[]; truncated: boolean } {
  const groups = new Map<string, { ports: EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }>();
  const wantsIpv6 = (service.spec.ipFamilies?.[0] ?? (isIpv6(service.spec.clusterIP ?? '') ? 'IPv6' : 'IPv4')) === 'IPv6';
  const publishes = service.spec.publishNotReadyAddresses ?? false;
  for (const pod of pods) {
    if (isPodTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !publishes)) continue;
    const ip = addressesOf(pod).find((address) => isIpv6(address) === wantsIpv6);
    if (ip === undefined) continue;
    const ports = portsFor(service, pod);
    if (ports.length === 0 && !(isHeadless(service) && (service.spec.ports ?? []).length === 0)) continue;
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    const isReady = publishes || isPodReady(pod);
    (isReady ? group.ready : group.notReady).push(addressOf(service, pod, ip));
    groups.set(key, group);
  }
  return truncate(
    [...groups.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { ports, ready, notReady }]) => ({
        ...(ready.length > 0 && { addresses: ready.sort(byIp) }),
        ...(notReady.length > 0 && { notReadyAddresses: notReady.sort(byIp) }),
        ...(ports.length > 0 && { ports }),
      })),
  );
}

/** The service's labels, and what tells watchers apart. */
export function labelsFor(service: Service): Record<string, string> {
  const { [headlessLabel]: _, ...labels } = service.metadata.labels ?? {};
  return { ...labels, [managedByLabel]: 'endpoint-controller', ...(isHeadless(service) && { [headlessLabel]: '' }) };
}

function portsFor(service: Service, pod: Pod): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const servicePort of service.spec.ports ?? []) {
    const port = targetPortOf(pod, servicePort);
    if (port === undefined) continue;
    const { name, protocol = 'TCP', appProtocol } = servicePort;
    ports.push({ ...(name && { name }), port, protocol, ...(appProtocol && { appProtocol }) });
  }
  return ports.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
}

function addressOf(service: Service, pod: Pod, ip: string): EndpointAddress {
  const { nodeName } = pod.spec;
  const hostname = hostnameIn(service, pod);
  return {
    ip,
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    targetRef: { kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
  };
}

function byIp(a: EndpointAddress, b: EndpointAddress): number {
  return a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : (a.targetRef?.uid ?? '') < (b.targetRef?.uid ?? '') ? -1 : 1;
}

/** At most 1000 addresses, ready ones first: what does not fit is found in the slices. */
function truncate(subsets: EndpointSubset[]): { subsets: EndpointSubset[]; truncated: boolean } {
  const count = (field: 'addresses' | 'notReadyAddresses') => subsets.reduce((sum, subset) => sum + (subset[field]?.length ?? 0), 0);
  if (count('addresses') + count('notReadyAddresses') <= maxAddresses) return { subsets, truncated: false };
  let left = maxAddresses;
  const take = (addresses: EndpointAddress[] | undefined): EndpointAddress[] => {
    const taken = (addresses ?? []).slice(0, left);
    left -= taken.length;
    return taken;
  };
  const ready = subsets.map(({ addresses }) => take(addresses));
  const notReady = subsets.map(({ notReadyAddresses }) => take(notReadyAddresses));
  const kept = subsets.map(({ ports }, i) => ({
    ...(ready[i]!.length > 0 && { addresses: ready[i] }),
    ...(notReady[i]!.length > 0 && { notReadyAddresses: notReady[i] }),
    ...(ports && { ports }),
  }));
  return { subsets: kept.filter(({ addresses, notReadyAddresses }) => addresses || notReadyAddresses), truncated: true };
}
