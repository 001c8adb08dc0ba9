// A pod as the scheduler sees it: what it asks for, computed once when it is first seen.
import type { Container, NodeSelectorTerm, Pod, PreferredSchedulingTerm, Toleration } from '#api/generated/core-v1.ts';
import { keyOf } from '#api/meta/object.ts';
import type { Amounts } from './amounts.ts';
import { addAmounts, amountsOf, maxAmounts } from './amounts.ts';

export interface HostPort {
  protocol: string;
  ip: string;
  port: number;
}

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
  nodeSelector: Readonly<Record<string, string>> | undefined;
  requiredTerms: readonly NodeSelectorTerm[] | undefined;
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
    requests: requestsOf(pod, (container) => amountsOf(container.resources?.requests)),
    nonZero: nonZeroOf(pod),
    hostPorts: hostPortsOf(pod),
    tolerations: spec.tolerations ?? [],
    nodeSelector: spec.nodeSelector,
    requiredTerms: nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
    preferredTerms: nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [],
    claims: (spec.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []),
  };
}

/**
 * Containers run together, init containers one after the other before them; a restartable init container (a sidecar) goes on
 * running beside whatever comes after it. Pod-level requests replace the sum where they are set; overhead comes on top.
 */
function requestsOf(pod: Pod, of: (container: Container) => Amounts): Amounts {
  let sidecars: Amounts = {};
  let startup: Amounts = {};
  for (const container of pod.spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      sidecars = addAmounts(sidecars, of(container));
      startup = maxAmounts(startup, sidecars);
    } else startup = maxAmounts(startup, addAmounts(sidecars, of(container)));
  }
  const running = (pod.spec.containers ?? []).reduce((sum, container) => addAmounts(sum, of(container)), sidecars);
  const whole = { ...maxAmounts(running, startup), ...amountsOf(pod.spec.resources?.requests) };
  return addAmounts(whole, amountsOf(pod.spec.overhead));
}

function nonZeroOf(pod: Pod): PodInfo['nonZero'] {
  const amounts = requestsOf(pod, (container) => {
    const asked = amountsOf(container.resources?.requests);
    return { cpu: asked['cpu'] ?? defaultMilliCpu, memory: asked['memory'] ?? defaultMemory };
  });
  return { milliCpu: amounts['cpu'] ?? 0, memory: amounts['memory'] ?? 0 };
}

function hostPortsOf(pod: Pod): HostPort[] {
  const containers = [
    ...(pod.spec.containers ?? []),
    ...(pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always'),
  ];
  return containers.flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ port: hostPort, ip: hostIP || '0.0.0.0', protocol: protocol ?? 'TCP' }] : [],
    ),
  );
}
