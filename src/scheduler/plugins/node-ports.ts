// NodePorts: no two pods of a node share a host port of one protocol on one address.
import { collide } from '#api/core/host-ports.ts';
import type { FilterPlugin } from '../framework.ts';

const refusal = ["node(s) didn't have free ports for the requested pod ports"];

export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  retryOn: ['node-added', 'node-updated', 'pod-removed'],
  filter: (pod, node) => (pod.hostPorts.some((wanted) => node.hostPorts.some((taken) => collide(wanted, taken))) ? refusal : undefined),
};
