// A node with the pods that count against it, bound or assumed; sums are kept as pods come and go.
import type { Node } from '#api/generated/core-v1.ts';
import type { Amounts } from '#api/core/amounts.ts';
import { amountsOf } from '#api/core/amounts.ts';
import type { HostPort } from '#api/core/host-ports.ts';
import type { PodInfo } from './pod-info.ts';

export interface NodeInfo {
  readonly name: string;
  /** Undefined: pods name a node that is not there (yet, or any more). */
  node: Node | undefined;
  allocatable: Amounts;
  readonly requested: Amounts;
  readonly nonZero: { milliCpu: number; memory: number };
  readonly pods: Map<string, PodInfo>;
  hostPorts: readonly HostPort[];
}

export function createNodeInfo(name: string): NodeInfo {
  return { name, node: undefined, allocatable: {}, requested: {}, nonZero: { milliCpu: 0, memory: 0 }, pods: new Map(), hostPorts: [] };
}

export function setNode(info: NodeInfo, node: Node | undefined): void {
  info.node = node;
  info.allocatable = amountsOf(node?.status?.allocatable);
}

export function addPod(info: NodeInfo, pod: PodInfo): void {
  info.pods.set(pod.uid, pod);
  account(info, pod, 1);
  if (pod.hostPorts.length > 0) info.hostPorts = [...info.hostPorts, ...pod.hostPorts];
}

export function removePod(info: NodeInfo, uid: string): PodInfo | undefined {
  const pod = info.pods.get(uid);
  if (pod === undefined) return undefined;
  info.pods.delete(uid);
  account(info, pod, -1);
  if (pod.hostPorts.length > 0) info.hostPorts = [...info.pods.values()].flatMap((other) => other.hostPorts);
  return pod;
}

function account(info: NodeInfo, pod: PodInfo, sign: 1 | -1): void {
  for (const name of Object.keys(pod.requests)) info.requested[name] = (info.requested[name] ?? 0) + sign * pod.requests[name]!;
  info.nonZero.milliCpu += sign * pod.nonZero.milliCpu;
  info.nonZero.memory += sign * pod.nonZero.memory;
}
