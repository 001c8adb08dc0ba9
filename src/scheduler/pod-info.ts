// A pod as the scheduler sees it: what it asks for, computed once when it is first seen.
import type { Pod, PreferredSchedulingTerm, Toleration } from '#api/generated/core-v1.ts';
import { keyOf } from '#api/meta/object.ts';
import type { Amounts } from '#api/core/amounts.ts';
import { amountsOf } from '#api/core/amounts.ts';
import { type HostPort, hostPortsOf } from '#api/core/host-ports.ts';
import { podRequests } from '#api/core/pod-requests.ts';

export interface PodInfo {
  pod: Pod;
  key: string;
  uid: string;
  priority: number;
  /** What the pod reserves on its node. */
  requests: Amounts;
  /** As requests, with 100m CPU and 200Mi for every container that asks for none: what spreading goes by. */
  nonZero: { milliCpu: number; memory: number };
  hostPorts: readonly HostPort[];
  tolerations: readonly Toleration[];
  preferredTerms: readonly PreferredSchedulingTerm[];
  claims: readonly string[];
}

const defaultMilliCpu = 100;
const defaultMemory = 200 * 1024 * 1024;

export function podInfoOf(pod: Pod): PodInfo {
  const { spec } = pod;
  const nodeAffinity = spec.affinity?.nodeAffinity;
  return {
    pod,
    key: keyOf(pod),
    uid: pod.metadata.uid!,
    priority: spec.priority ?? 0,
    requests: podRequests(pod),
    nonZero: nonZeroOf(pod),
    hostPorts: hostPortsOf(pod),
    tolerations: spec.tolerations ?? [],
    preferredTerms: nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [],
    claims: (spec.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []),
  };
}

function nonZeroOf(pod: Pod): PodInfo['nonZero'] {
  const amounts = podRequests(pod, (container) => {
    const asked = amountsOf(container.resources?.requests);
    return { cpu: asked['cpu'] ?? defaultMilliCpu, memory: asked['memory'] ?? defaultMemory };
  });
  return { milliCpu: amounts['cpu'] ?? 0, memory: amounts['memory'] ?? 0 };
}
