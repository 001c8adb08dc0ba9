// A managed node as its kubelet reports it, out of what EKS decided.
import type { ClusterSpec, NodeSpec } from '#eks/clusters/host.ts';
import type { NodeSettings } from '#kubelet/node-object.ts';
import { gitVersion } from '#cluster.ts';

export function nodeSettingsOf(spec: NodeSpec, cluster: Pick<ClusterSpec, 'region'>): NodeSettings {
  const { capacity } = spec;
  return {
    name: spec.name,
    labels: { ...spec.labels },
    taints: [...spec.taints],
    providerId: spec.providerId,
    instanceType: spec.instanceType,
    zone: spec.zone,
    region: cluster.region,
    addresses: [
      { type: 'InternalIP', address: spec.privateIp },
      { type: 'InternalDNS', address: spec.name },
      { type: 'Hostname', address: spec.name },
    ],
    capacity: {
      cpu: String(capacity.cpuMillis / 1000),
      memory: inKibibytes(capacity.memoryBytes),
      'ephemeral-storage': inKibibytes(capacity.ephemeralStorageBytes),
      pods: String(capacity.pods),
    },
    reserved: {
      cpu: `${capacity.reserved.cpuMillis}m`,
      memory: inKibibytes(capacity.reserved.memoryBytes + capacity.evictionMemoryBytes),
    },
    info: { architecture: capacity.architecture },
    kubeletVersion: gitVersion,
  };
}

function inKibibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024)}Ki`;
}
