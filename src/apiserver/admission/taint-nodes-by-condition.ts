// TaintNodesByCondition: a new node takes no pods until it has said that it is ready.
import type { Node } from '#api/generated/core-v1.ts';
import { nodes } from '#api/generated/resources.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { isFor } from './plugin.ts';

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  operations: ['CREATE'],
  mutate(request) {
    if (!isFor(request, nodes)) return;
    const node = request.object as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === notReady.key && effect === notReady.effect)) return;
    node.spec = { ...node.spec, taints: [...taints, { ...notReady }] };
  },
};
