// When a pod must leave a node because of its NoExecute taints.
import type { Node, Pod, Taint } from '#api/generated/core-v1.ts';
import { podCondition } from '#api/core/pod-state.ts';
import { tolerates } from '#api/core/tolerations.ts';

/**
 * Milliseconds since the epoch, possibly past; undefined: the pod may stay. A toleration's seconds count from when the taint
 * came to the pod: from the taint's time or, if it is later, from when the pod was put on the node.
 */
export function evictionTime(pod: Pod, node: Node): number | undefined {
  const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
  let earliest: number | undefined;
  for (const taint of taints) {
    const leaves = leavesAt(pod, taint);
    if (leaves !== undefined && (earliest === undefined || leaves < earliest)) earliest = leaves;
  }
  return earliest;
}

function leavesAt(pod: Pod, taint: Taint): number | undefined {
  const tolerations = (pod.spec.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
  const metMs = Math.max(
    timeOf(taint.timeAdded),
    timeOf(podCondition(pod, 'PodScheduled')?.lastTransitionTime ?? pod.metadata.creationTimestamp),
  );
  if (tolerations.length === 0) return 0;
  const limits = tolerations.map(({ tolerationSeconds }) => tolerationSeconds).filter((seconds) => seconds !== undefined);
  if (limits.length === 0) return undefined;
  return metMs + Math.max(0, Math.min(...limits)) * 1000;
}

function timeOf(text: string | undefined): number {
  return text === undefined ? 0 : Date.parse(text);
}
