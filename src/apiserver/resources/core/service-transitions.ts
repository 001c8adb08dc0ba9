// What a service keeps and loses on its way from one state to the next: addresses and ports that the server allocated
// stay with a client that leaves them out, and go when the new type has no use for them.
import { isDeepStrictEqual } from 'node:util';
import type { Service, ServiceSpec } from '#api/generated/core-v1.ts';

/** Old clients know `clusterIP` only, new ones write both: afterwards the two agree, or validation says so. */
export function normalizeClusterIps(service: Service, old: Service | undefined): void {
  const spec = service.spec!;
  if (!old) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  if ((spec.clusterIP ?? '') === (old.spec?.clusterIP ?? '')) {
    // The list was emptied: so is the single field, which a client that knows the list never wrote.
    if (!spec.clusterIPs?.length && old.spec?.clusterIPs?.length) delete spec.clusterIP;
    return;
  }
  const sameList = isDeepStrictEqual(spec.clusterIPs ?? [], old.spec?.clusterIPs ?? []);
  if (!spec.clusterIP) {
    if (sameList) delete spec.clusterIPs;
  } else if (sameList || !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP, ...(spec.clusterIPs ?? []).slice(1)];
}

export function keepAllocatedValues(service: Service, old: Service): void {
  const spec = service.spec!;
  const oldSpec = old.spec ?? {};
  if (needsClusterIp(oldSpec) && needsClusterIp(spec)) {
    if (oldSpec.clusterIP) spec.clusterIP ||= oldSpec.clusterIP;
    if (!spec.clusterIPs?.length && oldSpec.clusterIPs && spec.clusterIP === oldSpec.clusterIP) spec.clusterIPs = oldSpec.clusterIPs;
  }
  if (needsNodePort(oldSpec) && needsNodePort(spec)) keepNodePorts(spec, oldSpec);
  if (needsHealthCheckPort(oldSpec) && needsHealthCheckPort(spec) && oldSpec.healthCheckNodePort)
    spec.healthCheckNodePort ||= oldSpec.healthCheckNodePort;
}

export function dropTypeDependentFields(service: Service, old: Service): void {
  const spec = service.spec!;
  const oldSpec = old.spec ?? {};
  const leaves = (needs: (spec: ServiceSpec) => boolean) => needs(oldSpec) && !needs(spec);
  if (leaves(needsClusterIp)) {
    if (isDeepStrictEqual(spec.clusterIPs, oldSpec.clusterIPs)) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    dropIfUnchanged(spec, oldSpec, 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy');
  }
  if (leaves(needsNodePort) && isDeepStrictEqual(nodePortsOf(spec), nodePortsOf(oldSpec)))
    for (const port of spec.ports ?? []) delete port.nodePort;
  if (leaves(needsHealthCheckPort)) dropIfUnchanged(spec, oldSpec, 'healthCheckNodePort');
  if (leaves(({ type }) => type === 'LoadBalancer')) dropIfUnchanged(spec, oldSpec, 'allocateLoadBalancerNodePorts', 'loadBalancerClass');
  if (leaves(isExternallyAccessible)) dropIfUnchanged(spec, oldSpec, 'externalTrafficPolicy');
}

export const needsClusterIp = ({ type }: ServiceSpec): boolean => type !== 'ExternalName';

export function needsNodePort({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean {
  return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
}

export const needsHealthCheckPort = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

export const isExternallyAccessible = ({ type, externalIPs }: ServiceSpec): boolean =>
  type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && (externalIPs?.length ?? 0) > 0);

function keepNodePorts(spec: ServiceSpec, oldSpec: ServiceSpec): void {
  const asked = new Set(nodePortsOf(spec));
  const byName = new Map((oldSpec.ports ?? []).map(({ name = '', nodePort }) => [name, nodePort]));
  for (const port of spec.ports ?? []) {
    const before = byName.get(port.name ?? '');
    // A port that another entry asks for by number cannot be kept here.
    if (!port.nodePort && before && !asked.has(before)) port.nodePort = before;
  }
}

const nodePortsOf = ({ ports = [] }: ServiceSpec): number[] => ports.map(({ nodePort = 0 }) => nodePort);

function dropIfUnchanged(spec: ServiceSpec, oldSpec: ServiceSpec, ...fields: (keyof ServiceSpec)[]): void {
  for (const field of fields) if (isDeepStrictEqual(spec[field], oldSpec[field])) delete spec[field];
}
