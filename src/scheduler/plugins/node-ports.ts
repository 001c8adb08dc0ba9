// NodePorts: no two pods of a node share a host port of one protocol on one address.
import type { FilterPlugin } from '../framework.ts';
import type { HostPort } from '../pod-info.ts';

const refusal = ["node(s) didn't have free ports for the requested pod ports"];

export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  retryOn: ['node-added', 'node-updated', 'pod-removed'],
  filter: (pod, node) => (pod.hostPorts.some((wanted) => node.hostPorts.some((taken) => collide(wanted, taken))) ? refusal : undefined),
};

/** 0.0.0.0 is every address. */
function collide(one: HostPort, other: HostPort): boolean {
  if (one.port !== other.port || one.protocol !== other.protocol) return false;
  return one.ip === other.ip || one.ip === '0.0.0.0' || other.ip === '0.0.0.0';
}
