// The work behind a node group's status: instances are recorded before they are launched, so a crash leaves none behind.
// Every piece ends with a status and never throws; repeating it converges.
import type { ClusterHost, DepartingNode, NodeChange } from '#eks/clusters/host.ts';
import type { Issue, Update } from '#eks/generated/types.ts';
import type { InTurn } from '#lib/in-turn.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import type { Records } from '#lib/records.ts';
import { launch, nodeNameOf, nodeSpecOf, planScale } from './instances.ts';
import { instanceTypeOf, maxPodsOfManagedNode } from './pods-per-node.ts';
import type { Instance, NodegroupRecord } from './record.ts';
import { keyOf } from './record.ts';

export interface RealityOptions {
  records: Records<NodegroupRecord>;
  region: string;
  host: ClusterHost;
  random: Random;
  log: Log;
  /** Addresses are given to one group after the other. */
  claiming: InTurn;
}

/** As many nodes of a group join at once. */
const joinAtOnce = 16;

/** Gives the group the nodes it wants; it is ACTIVE once all of them are Ready. */
export async function bringUp(options: RealityOptions, key: string, failedStatus: 'CREATE_FAILED' | 'DEGRADED'): Promise<void> {
  const { records } = options;
  const record = records.get(key);
  if (record === undefined || record.nodegroup.status === 'DELETING') return;
  try {
    await scale(options, key);
    await setStatus(records, records.get(key)!, 'ACTIVE');
  } catch (error) {
    const issue = issueOf(options, records.get(key)!, error);
    await setStatus(records, records.get(key)!, failedStatus, [issue]);
  }
}

/** Changes the nodes that are there, then their number; closes the update. */
export async function finishUpdate(options: RealityOptions, key: string, updateId: string): Promise<void> {
  const { records, host } = options;
  const { nodegroup, instances, pendingChange } = records.get(key)!;
  let outcome: Pick<Update, 'status' | 'errors'> = { status: 'Successful', errors: [] };
  try {
    if (pendingChange && changesNodes(pendingChange)) {
      for (const { nodeName } of instances) if (nodeName) await host.updateNode(nodegroup.clusterName, nodeName, pendingChange);
    }
    await scale(options, key);
  } catch (error) {
    const { message, resourceIds } = issueOf(options, records.get(key)!, error);
    outcome = { status: 'Failed', errors: [{ errorCode: 'NodeCreationFailure', errorMessage: message, resourceIds }] };
  }
  const { pendingChange: _, ...record } = records.get(key)!;
  const updates = record.updates.map((update) => (update.id === updateId ? { ...update, ...outcome } : update));
  await setStatus(records, { ...record, updates }, outcome.status === 'Successful' ? 'ACTIVE' : 'DEGRADED');
}

/** Ends every instance, then forgets the group. */
export async function takeDown(options: RealityOptions, key: string): Promise<void> {
  const { records, host } = options;
  const record = records.get(key);
  if (record === undefined) return;
  try {
    for (const instance of record.instances) await host.removeNode(record.nodegroup.clusterName, departing(instance));
    await records.delete(key);
  } catch (error) {
    await setStatus(records, record, 'DELETE_FAILED', [{ ...issueOf(options, record, error), code: 'NodeTerminationFailure' }]);
  }
}

async function scale(options: RealityOptions, key: string): Promise<void> {
  const { records, host } = options;
  const { clusterName, scalingConfig } = records.get(key)!.nodegroup;
  for (const instance of planScale(records.get(key)!.instances, scalingConfig.desiredSize).terminate) {
    await host.removeNode(clusterName, departing(instance));
    const record = records.get(key)!;
    const instances = record.instances.filter(({ instanceId }) => instanceId !== instance.instanceId);
    await records.put(key, { ...record, instances });
  }
  await launchMissing(options, key);
  await options.claiming(() => claimAddresses(options, key));
  // Those that were there are added too: after a crash they may not run, and adding is idempotent.
  await joinNodes(options, records.get(key)!);
}

function launchMissing({ records, region, random }: RealityOptions, key: string): Promise<void> {
  const record = records.get(key)!;
  const { subnets, instanceTypes, scalingConfig } = record.nodegroup;
  const { launch: count } = planScale(record.instances, scalingConfig.desiredSize);
  if (count === 0) return Promise.resolve();
  const launched = launch({ count, instanceType: instanceTypes[0]!, subnets, region, present: record.instances, random });
  return records.put(key, { ...record, instances: [...record.instances, ...launched] });
}

async function claimAddresses({ records, host, region }: RealityOptions, key: string): Promise<void> {
  const { instances, nodegroup } = records.get(key)!;
  const without = instances.filter((instance) => instance.privateIp === undefined);
  if (without.length === 0) return;
  const taken = new Set(records.values().flatMap((other) => other.instances.flatMap((instance) => instance.privateIp ?? [])));
  const pods = (instance: Instance) => maxPodsOfManagedNode(instanceTypeOf(instance.instanceType)!);
  const asked = without.map((instance) => ({ instanceId: instance.instanceId, zone: instance.zone, pods: pods(instance) }));
  const addresses = await host.claimAddresses(nodegroup.clusterName, asked, taken);
  const byInstance = new Map(without.map((instance, i) => [instance.instanceId, addresses[i]!]));
  const record = records.get(key)!;
  const named = record.instances.map((instance) => {
    const privateIp = byInstance.get(instance.instanceId);
    return privateIp === undefined ? instance : { ...instance, privateIp, nodeName: nodeNameOf(privateIp, region) };
  });
  await records.put(key, { ...record, instances: named });
}

function departing({ instanceId, nodeName }: Instance): DepartingNode {
  return { instanceId, ...(nodeName !== undefined && { name: nodeName }) };
}

async function joinNodes({ host, region }: RealityOptions, record: NodegroupRecord): Promise<void> {
  const queue: Instance[] = [...record.instances];
  const joinFromQueue = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await host.addNode(record.nodegroup.clusterName, nodeSpecOf(record, next, region));
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: Math.min(joinAtOnce, queue.length) }, joinFromQueue));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

export function setStatus(
  records: Records<NodegroupRecord>,
  record: NodegroupRecord,
  status: NodegroupRecord['nodegroup']['status'],
  issues: Issue[] = [],
): Promise<void> {
  return records.put(keyOf(record), { ...record, nodegroup: { ...record.nodegroup, status, health: { issues } } });
}

function issueOf({ log }: RealityOptions, record: NodegroupRecord, error: unknown): Issue & { message: string; resourceIds: string[] } {
  log.error({ nodegroup: keyOf(record), err: String(error), stack: (error as Error).stack }, 'work on the node group failed');
  return {
    code: 'NodeCreationFailure',
    message: (error as Error).message,
    resourceIds: record.instances.map((instance) => instance.instanceId),
  };
}

function changesNodes(change: NodeChange): boolean {
  return Object.keys(change.setLabels).length + change.removeLabels.length + change.setTaints.length + change.removeTaints.length > 0;
}
