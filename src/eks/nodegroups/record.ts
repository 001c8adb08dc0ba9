// What is kept of a managed node group: the API's own object, its instances, and the updates it went through.
import type { NodeChange, NodeTaint } from '#eks/clusters/host.ts';
import type { Nodegroup, NodegroupScalingConfig, Taint, Update } from '#eks/generated/types.ts';

export interface Instance {
  instanceId: string;
  instanceType: string;
  zone: string;
  /** Unset until the host has given it one; so is the name made of it. */
  privateIp?: string;
  nodeName?: string;
}

export interface NodegroupRecord {
  nodegroup: Nodegroup & {
    nodegroupName: string;
    clusterName: string;
    nodegroupArn: string;
    status: NonNullable<Nodegroup['status']>;
    scalingConfig: Required<NodegroupScalingConfig>;
    instanceTypes: string[];
    subnets: string[];
    nodeRole: string;
  };
  instances: Instance[];
  /** The latest ones, oldest first. */
  updates: (Update & { id: string })[];
  /** Of the update that is InProgress: what it changes on nodes that are there. */
  pendingChange?: NodeChange;
  requestHash: string;
}

export const keptUpdates = 50;

export function recordKey(clusterName: string, nodegroupName: string): string {
  return `${clusterName}/${nodegroupName}`;
}

export function keyOf(record: NodegroupRecord): string {
  return recordKey(record.nodegroup.clusterName, record.nodegroup.nodegroupName);
}

const effects = { NO_SCHEDULE: 'NoSchedule', NO_EXECUTE: 'NoExecute', PREFER_NO_SCHEDULE: 'PreferNoSchedule' } as const;

/** EKS' spelling of a taint in Kubernetes' own. */
export function toNodeTaint(taint: Taint): NodeTaint {
  return { key: taint.key!, ...(taint.value && { value: taint.value }), effect: effects[taint.effect!] };
}

export function sameTaint(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect;
}
