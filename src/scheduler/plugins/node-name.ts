// NodeName: a pod that already names its node fits nowhere else.
import type { FilterPlugin } from '../framework.ts';

const refusal = ["node(s) didn't match the requested node name"];

export const nodeName: FilterPlugin = {
  name: 'NodeName',
  retryOn: ['node-added'],
  filter: ({ pod }, { name }) => (pod.spec.nodeName && pod.spec.nodeName !== name ? refusal : undefined),
};
