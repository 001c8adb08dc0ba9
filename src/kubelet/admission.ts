// The node's last word on a pod that was bound to it: refuses what does not fit, in upstream's words.
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { addAmounts, amountsOf } from '#api/core/amounts.ts';
import { collide, hostPortsOf } from '#api/core/host-ports.ts';
import { isNodeWanted } from '#api/core/node-selector.ts';
import { podRequests } from '#api/core/pod-requests.ts';
import { isTolerated } from '#api/core/tolerations.ts';
import { valueOf } from '#api/meta/quantity.ts';

export interface Refusal {
  reason: string;
  message: string;
}

/** `others`: the admitted pods of this node that are not over. */
export function refusalOf(pod: Pod, others: readonly Pod[], node: Pick<Node, 'metadata' | 'spec' | 'status'>): Refusal | undefined {
  const allocatable = node.status?.allocatable ?? {};
  return (
    countRefusal(others.length, valueOf(allocatable.pods)) ??
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
  const wanted = podRequests(pod);
  const capacities = amountsOf(allocatable);
  const used = others.map((other) => podRequests(other)).reduce(addAmounts, {});
  for (const [resource, requested] of Object.entries(wanted)) {
    const [held, capacity] = [used[resource] ?? 0, capacities[resource] ?? 0];
    if (requested > 0 && held + requested > capacity) return outOf(resource, requested, held, capacity);
  }
  return undefined;
}

function outOf(resource: string, requested: number, used: number, capacity: number): Refusal {
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}

function affinityRefusal(pod: Pod, node: Pick<Node, 'metadata'>): Refusal | undefined {
  if (isNodeWanted(pod, node)) return undefined;
  return predicateFailed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
}

function portRefusal(pod: Pod, others: readonly Pod[]): Refusal | undefined {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0) return undefined;
  const taken = others.flatMap(hostPortsOf);
  const clash = wanted.some((port) => taken.some((other) => collide(port, other)));
  return clash ? predicateFailed('NodePorts', "node(s) didn't have free ports for the requested pod ports") : undefined;
}

/** Only NoExecute counts here: NoSchedule was the scheduler's to heed. */
function taintRefusal(pod: Pod, node: Pick<Node, 'spec'>): Refusal | undefined {
  for (const taint of node.spec?.taints ?? []) {
    if (taint.effect !== 'NoExecute') continue;
    const tolerated = isTolerated(taint, pod.spec.tolerations);
    if (!tolerated) return predicateFailed('TaintToleration', `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`);
  }
  return undefined;
}

function predicateFailed(name: string, detail: string): Refusal {
  return { reason: name, message: `Predicate ${name} failed: ${detail}` };
}
