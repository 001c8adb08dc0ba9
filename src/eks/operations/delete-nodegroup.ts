// DeleteNodegroup: its nodes are drained and ended; DELETING is visible before the answer.
import type { Operation } from '#eks/context.ts';
import { noCluster, noNodegroup, resourceInUse } from '#eks/errors.ts';

export const deleteNodegroup: Operation<'DeleteNodegroup'> = async ({ clusterName, nodegroupName }, { clusters, nodegroups }) => {
  if ((await clusters.settled(clusterName)) === undefined) throw noCluster(clusterName);
  const record = await nodegroups.settled(clusterName, nodegroupName);
  if (record === undefined) throw noNodegroup(clusterName, nodegroupName);
  if (record.nodegroup.status === 'DELETING') {
    throw resourceInUse('Nodegroup is being deleted', { clusterName, nodegroupName });
  }
  return { nodegroup: (await nodegroups.delete(record)).nodegroup };
};
