// The endpoints that a service should have, from its pods: grouped by address family and by the ports that they answer on.
import type { Node, Pod, Service } from '#api/generated/core-v1.ts';
import type { Endpoint, EndpointPort } from '#api/generated/discovery-v1.ts';
import { isPodReady, isPodTerminal } from '#api/core/pod-state.ts';
import { addressesOf, hostnameIn, isHeadless, isIpv6, targetPortOf } from '../runtime/service-pods.ts';

export interface EndpointGroup {
  addressType: 'IPv4' | 'IPv6';
  ports: EndpointPort[];
  /** By the uid of the pod. */
  endpoints: Map<string, Endpoint>;
}

const zoneLabel = 'topology.kubernetes.io/zone';

export function addressTypesOf(service: Service): ('IPv4' | 'IPv6')[] {
  const families = (service.spec.ipFamilies ?? []).filter((family) => family === 'IPv4' || family === 'IPv6');
  if (families.length > 0) return families;
  return [isIpv6(service.spec.clusterIP ?? '') ? 'IPv6' : 'IPv4'];
}

/** By a key that is the same for the same address family and ports, in whatever order. */
export function desiredGroups(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
): Map<string, EndpointGroup> {
  const groups = new Map<string, EndpointGroup>();
  for (const addressType of addressTypesOf(service)) {
    for (const pod of pods) {
      if (isPodTerminal(pod)) continue;
      const address = addressesOf(pod).find((ip) => isIpv6(ip) === (addressType === 'IPv6'));
      if (address === undefined) continue;
      const ports = portsFor(service, pod);
      // A pod that none of a service's ports leads to is no endpoint; a headless service without ports needs none.
      if (ports.length === 0 && !(isHeadless(service) && (service.spec.ports ?? []).length === 0)) continue;
      const key = groupKey(addressType, ports);
      const group = groups.get(key) ?? { addressType, ports, endpoints: new Map<string, Endpoint>() };
      group.endpoints.set(pod.metadata.uid!, endpointOf(service, pod, address, nodeOf));
      groups.set(key, group);
    }
  }
  return groups;
}

export function groupKey(addressType: string, ports: readonly EndpointPort[]): string {
  const texts = ports.map(({ name = '', protocol = 'TCP', port, appProtocol = '' }) => `${name}/${protocol}/${port ?? ''}/${appProtocol}`);
  return `${addressType}|${texts.sort().join(',')}`;
}

function portsFor(service: Service, pod: Pod): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const servicePort of service.spec.ports ?? []) {
    const port = targetPortOf(pod, servicePort);
    if (port === undefined) continue;
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    ports.push({ name, protocol, port, ...(appProtocol && { appProtocol }) });
  }
  return ports;
}

function endpointOf(service: Service, pod: Pod, address: string, nodeOf: (name: string) => Node | undefined): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const { nodeName } = pod.spec;
  const zone = nodeName && nodeOf(nodeName)?.metadata.labels?.[zoneLabel];
  const hostname = hostnameIn(service, pod);
  return {
    addresses: [address],
    conditions: { ready: (service.spec.publishNotReadyAddresses ?? false) || (serving && !terminating), serving, terminating },
    ...(hostname && { hostname }),
    targetRef: { kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
  };
}
