// The node's last word on a pod that was bound to it: refuses what does not fit, in upstream's words.
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { podRequest } from './resources.ts';
import { milliOf, wholeOf } from './quantity.ts';
import { matchesNode } from './node-affinity.ts';

export interface Refusal {
  reason: string;
  message: string;
}

/** `others`: the admitted pods of this node that are not over. */
export function refusalOf(pod: Pod, others: readonly Pod[], node: Pick<Node, 'metadata' | 'spec' | 'status'>): Refusal | undefined {
  const allocatable = node.status?.allocatable ?? {};
  return (
    countRefusal(others.length, wholeOf(allocatable.pods)) ??
    resourceRefusal(pod, others, allocatable) ??
    affinityRefusal(pod, node) ??
    portRefusal(pod, others) ??
    taintRefusal(pod, node)
  );
}

function countRefusal(used: number, capacity: number): Refusal | undefined {
  return capacity > 0 && used + 1 > capacity ? outOf('pods', 1, used, capacity) : undefined;
}

function resourceRefusal(pod: Pod, others: readonly Pod[], allocatable: Record<string, string>): Refusal | undefined {
  for (const resource of requestedResources(pod)) {
    const count = resource === 'cpu' ? milliOf : wholeOf;
    const requested = podRequest(pod, resource, count);
    if (requested === 0) continue;
    const capacity = count(allocatable[resource]);
    let used = 0;
    for (const other of others) used += podRequest(other, resource, count);
    if (used + requested > capacity) return outOf(resource, requested, used, capacity);
  }
  return undefined;
}

function requestedResources(pod: Pod): string[] {
  const names = new Set<string>();
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    for (const name of Object.keys(container.resources?.requests ?? {})) names.add(name);
  }
  for (const name of Object.keys(pod.spec.resources?.requests ?? {})) names.add(name);
  return [...names];
}

function outOf(resource: string, requested: number, used: number, capacity: number): Refusal {
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}

function affinityRefusal(pod: Pod, node: Pick<Node, 'metadata'>): Refusal | undefined {
  if (matchesNode(pod, node)) return undefined;
  return predicateFailed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
}

function portRefusal(pod: Pod, others: readonly Pod[]): Refusal | undefined {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return undefined;
  const taken = others.flatMap(hostPorts);
  const clash = wanted.some((port) =>
    taken.some((other) => other.port === port.port && other.protocol === port.protocol && sameAddress(other.ip, port.ip)),
  );
  return clash ? predicateFailed('NodePorts', "node(s) didn't have free ports for the requested pod ports") : undefined;
}

function hostPorts(pod: Pod): { port: number; protocol: string; ip: string }[] {
  return pod.spec.containers.flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => (port.hostPort ?? 0) > 0)
      .map((port) => ({ port: port.hostPort!, protocol: port.protocol ?? 'TCP', ip: port.hostIP ?? '0.0.0.0' })),
  );
}

function sameAddress(a: string, b: string): boolean {
  return a === b || a === '0.0.0.0' || b === '0.0.0.0';
}

/** Only NoExecute counts here: NoSchedule was the scheduler's to heed. */
function taintRefusal(pod: Pod, node: Pick<Node, 'spec'>): Refusal | undefined {
  for (const taint of node.spec?.taints ?? []) {
    if (taint.effect !== 'NoExecute') continue;
    const tolerated = (pod.spec.tolerations ?? []).some((toleration) => {
      if (toleration.effect && toleration.effect !== taint.effect) return false;
      if (toleration.key && toleration.key !== taint.key) return false;
      if (toleration.operator === 'Exists') return true;
      return toleration.key === taint.key && (toleration.value ?? '') === (taint.value ?? '');
    });
    if (!tolerated) return predicateFailed('TaintToleration', `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`);
  }
  return undefined;
}

function predicateFailed(name: string, detail: string): Refusal {
  return { reason: name, message: `Predicate ${name} failed: ${detail}` };
}
