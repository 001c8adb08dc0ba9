// The objects that every cluster starts with, apart from its roles: namespaces, priority classes and the API server's own service.
import type { Endpoints, Namespace, Service, ServiceAccount } from '#api/generated/core-v1.ts';
import type { EndpointSlice } from '#api/generated/discovery-v1.ts';
import type { PriorityClass } from '#api/generated/scheduling-v1.ts';
import { endpoints, endpointslices, namespaces, priorityclasses, serviceaccounts, services } from '#api/generated/resources.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import type { BootstrapObject } from './bootstrap.ts';

const systemNamespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

/** With their default accounts, so that pods need not wait for a controller. */
export function clusterNamespaces(): BootstrapObject[] {
  return systemNamespaces.flatMap((name) => [
    wanted(namespaces, { metadata: { name } } as Namespace),
    wanted(serviceaccounts, { metadata: { name: 'default', namespace: name } } as ServiceAccount),
  ]);
}

export function systemPriorityClasses(): BootstrapObject[] {
  return [
    priorityClass(
      'system-cluster-critical',
      2_000_000_000,
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ),
    priorityClass('system-node-critical', 2_000_001_000, 'Used for system critical pods that must not be moved from their current node.'),
  ];
}

/** The service by which pods reach the API server, and where it leads. */
export function kubernetesService(clusterIp: string, advertised: { address: string; port: number }): BootstrapObject[] {
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  const service = {
    metadata: { name: 'kubernetes', namespace: 'default', labels },
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: advertised.port }],
    },
  } as Service;
  const slice = {
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    ports: [{ name: 'https', port: advertised.port, protocol: 'TCP' }],
    endpoints: [{ addresses: [advertised.address], conditions: { ready: true } }],
  } as EndpointSlice;
  // For clients that know no slices yet; the mirror must not make a second slice of it.
  const legacy = {
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: advertised.address }], ports: [{ name: 'https', port: advertised.port, protocol: 'TCP' }] }],
  } as Endpoints;
  return [
    wanted(services, service),
    wanted(endpoints, legacy, (existing) => ({ ...existing, subsets: legacy.subsets })),
    // The address may be another one after a restart.
    wanted(endpointslices, slice, (existing) => ({ ...existing, ports: slice.ports, endpoints: slice.endpoints })),
  ];
}

function priorityClass(name: string, value: number, description: string): BootstrapObject {
  return wanted(priorityclasses, { metadata: { name }, value, description, preemptionPolicy: 'PreemptLowerPriority' } as PriorityClass);
}

function wanted<T extends KubeObject>(type: ResourceType<T>, object: T, mend?: (existing: T) => T): BootstrapObject {
  return { type: type as ResourceType, object, ...(mend && { mend: (existing: KubeObject) => mend(existing as T) }) };
}
