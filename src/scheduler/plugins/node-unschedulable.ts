// NodeUnschedulable: a cordoned node takes no pod that does not tolerate being cordoned.
import { isTolerated } from '#api/core/tolerations.ts';
import type { FilterPlugin } from '../framework.ts';

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const refusal = ['node(s) were unschedulable'];

export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  retryOn: ['node-added', 'node-updated'],
  filter: (pod, { node }) => (node!.spec.unschedulable && !isTolerated(taint, pod.tolerations) ? refusal : undefined),
};
