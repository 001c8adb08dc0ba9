// Where a DaemonSet's pods belong: which nodes want one, and what such a pod carries to get there.
import type { DaemonSet } from '#api/generated/apps-v1.ts';
import type { Node, Pod, PodSpec, Toleration } from '#api/generated/core-v1.ts';
import { isNodeWanted } from '#api/core/node-selector.ts';
import { isTolerated } from '#api/core/tolerations.ts';

/** `run`: a pod should be made there. `stay`: one that is there may go on. */
export interface Wish {
  run: boolean;
  stay: boolean;
}

export function wishFor(daemonSet: DaemonSet, node: Node): Wish {
  const spec = daemonSet.spec.template.spec!;
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return { run: false, stay: false };
  if (!isNodeWanted({ spec }, node)) return { run: false, stay: false };
  const tolerations = daemonTolerations(spec);
  const repelling = (node.spec?.taints ?? []).filter((taint) => !isTolerated(taint, tolerations));
  const stay = !repelling.some(({ effect }) => effect === 'NoExecute');
  return { run: stay && !repelling.some(({ effect }) => effect === 'NoSchedule'), stay };
}

const own: readonly (readonly [key: string, effect: string])[] = [
  ['not-ready', 'NoExecute'],
  ['unreachable', 'NoExecute'],
  ['disk-pressure', 'NoSchedule'],
  ['memory-pressure', 'NoSchedule'],
  ['pid-pressure', 'NoSchedule'],
  ['unschedulable', 'NoSchedule'],
];

/** A daemon puts up with all that ails a node by itself. */
function daemonTolerations(spec: PodSpec): Toleration[] {
  const tolerations = [...(spec.tolerations ?? [])];
  const added = spec.hostNetwork ? [...own, ['network-unavailable', 'NoSchedule'] as const] : own;
  for (const [name, effect] of added) {
    const toleration = { key: `node.kubernetes.io/${name}`, operator: 'Exists', effect };
    const position = tolerations.findIndex((one) => one.key === toleration.key && one.effect === effect && one.operator === 'Exists');
    if (position >= 0) tolerations[position] = toleration;
    else tolerations.push(toleration);
  }
  return tolerations;
}

/** The spec of the pod for one node: the scheduler binds it there or nowhere. */
export function specForNode(spec: PodSpec, node: string): PodSpec {
  const required = { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] };
  const nodeAffinity = { ...spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required };
  return { ...spec, affinity: { ...spec.affinity, nodeAffinity }, tolerations: daemonTolerations(spec) };
}

/** The node that a daemon pod is on or meant for. */
export function targetNode({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms)
    for (const { key, operator, values = [] } of matchFields)
      if (key === 'metadata.name' && operator === 'In' && values.length === 1) return values[0];
  return undefined;
}
