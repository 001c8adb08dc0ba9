// TaintToleration: NoSchedule and NoExecute taints keep a pod away unless it tolerates them; PreferNoSchedule ones count against the node.
import { isTolerated } from '#api/core/tolerations.ts';
import type { FilterPlugin, ScorePlugin } from '../framework.ts';

const refusal = ['node(s) had untolerated taint(s)'];

export const taintToleration: FilterPlugin & ScorePlugin = {
  name: 'TaintToleration',
  retryOn: ['node-added', 'node-updated'],
  weight: 3,
  normalize: 'lowest',
  filter(pod, { node }) {
    const keepsAway = node!.spec.taints?.some(
      (taint) => (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !isTolerated(taint, pod.tolerations),
    );
    return keepsAway ? refusal : undefined;
  },
  concerns: () => true,
  score(pod, { node }) {
    const soft = pod.tolerations.filter(({ effect }) => !effect || effect === 'PreferNoSchedule');
    return node!.spec.taints?.filter((taint) => taint.effect === 'PreferNoSchedule' && !isTolerated(taint, soft)).length ?? 0;
  },
};
