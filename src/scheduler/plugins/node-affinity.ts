// NodeAffinity: nodeSelector and required terms must match; preferred terms add their weights.
import { isNodeWanted, matchesTerm } from '#api/core/node-selector.ts';
import type { FilterPlugin, ScorePlugin } from '../framework.ts';

const refusal = ["node(s) didn't match Pod's node affinity/selector"];

export const nodeAffinity: FilterPlugin & ScorePlugin = {
  name: 'NodeAffinity',
  retryOn: ['node-added', 'node-updated'],
  weight: 2,
  normalize: 'highest',
  filter: ({ pod }, { node }) => (isNodeWanted(pod, node!) ? undefined : refusal),
  concerns: (pod) => pod.preferredTerms.length > 0,
  score(pod, { node }) {
    let sum = 0;
    for (const { weight, preference } of pod.preferredTerms) if (matchesTerm(preference, node!)) sum += weight;
    return sum;
  },
};
