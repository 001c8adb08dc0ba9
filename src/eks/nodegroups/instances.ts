// The instances of a node group: which to launch and which to end, their addresses, names and labels.
import type { NodeSpec } from '#eks/clusters/host.ts';
import type { Random } from '#lib/random.ts';
import { capacityOf } from './capacity.ts';
import { instanceTypeOf } from './pods-per-node.ts';
import type { Instance, NodegroupRecord } from './record.ts';
import { toNodeTaint } from './record.ts';

export interface ScalePlan {
  launch: number;
  terminate: Instance[];
}

/** The newest go first, so that the longest-lived pods stay where they are. */
export function planScale(instances: readonly Instance[], desiredSize: number): ScalePlan {
  return { launch: Math.max(0, desiredSize - instances.length), terminate: instances.slice(desiredSize).reverse() };
}

export interface LaunchRequest {
  count: number;
  instanceType: string;
  subnets: readonly string[];
  region: string;
  /** Instances that the group has: new ones go to the zones with the fewest. */
  present: readonly Instance[];
  random: Random;
}

/** New instances, still without addresses. */
export function launch(request: LaunchRequest): Instance[] {
  const zones = zonesOf(request.subnets, request.region);
  const launched: Instance[] = [];
  for (let i = 0; i < request.count; i++) {
    const zone = emptiest(zones, [...request.present, ...launched]);
    launched.push({ instanceId: `i-0${request.random.bytes(8).toString('hex')}`, instanceType: request.instanceType, zone });
  }
  return launched;
}

/** Without an EC2 to ask, a group's n-th subnet lies in the n-th zone. */
function zonesOf(subnets: readonly string[], region: string): string[] {
  return subnets.slice(0, 6).map((_, i) => `${region}${String.fromCharCode(97 + i)}`);
}

function emptiest(zones: readonly string[], instances: readonly Instance[]): string {
  const load = (zone: string) => instances.filter((instance) => instance.zone === zone).length;
  return zones.reduce((best, zone) => (load(zone) < load(best) ? zone : best));
}

/** us-east-1 keeps EC2's oldest domain; all other regions name themselves. */
export function nodeNameOf(privateIp: string, region: string): string {
  const domain = region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`;
  return `ip-${privateIp.replaceAll('.', '-')}.${domain}`;
}

export function nodeSpecOf(record: NodegroupRecord, instance: Instance, region: string): NodeSpec {
  const { nodegroup } = record;
  const type = instanceTypeOf(instance.instanceType)!;
  return {
    name: instance.nodeName!,
    privateIp: instance.privateIp!,
    instanceId: instance.instanceId,
    instanceType: instance.instanceType,
    zone: instance.zone,
    providerId: `aws:///${instance.zone}/${instance.instanceId}`,
    nodegroup: nodegroup.nodegroupName,
    labels: {
      ...nodegroup.labels,
      'eks.amazonaws.com/capacityType': nodegroup.capacityType!,
      'eks.amazonaws.com/nodegroup': nodegroup.nodegroupName,
      'node.kubernetes.io/instance-type': instance.instanceType,
      'topology.kubernetes.io/region': region,
      'topology.kubernetes.io/zone': instance.zone,
    },
    taints: (nodegroup.taints ?? []).map(toNodeTaint),
    capacity: capacityOf(type, nodegroup.diskSize ?? 20),
  };
}
