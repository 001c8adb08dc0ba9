// DeleteCluster: refused while node groups are left; DELETING is visible before the answer, as waiters demand.
import type { Operation } from '#eks/context.ts';
import { invalidRequest, noCluster, resourceInUse } from '#eks/errors.ts';

export const deleteCluster: Operation<'DeleteCluster'> = async ({ name }, { clusters, nodegroups }) => {
  const record = await clusters.settled(name);
  if (record === undefined) throw noCluster(name);
  const { status, deletionProtection } = record.cluster;
  if (status === 'DELETING' || status === 'CREATING') {
    throw resourceInUse(`Cluster has status ${status} and cannot be deleted now`, { clusterName: name });
  }
  if (deletionProtection) throw invalidRequest('Cannot delete the cluster while deletion protection is enabled', { clusterName: name });
  // A node group that was asked to go is waited for: scripts delete both without a pause.
  for (const { nodegroup } of nodegroups.of(name)) {
    if (nodegroup.status === 'DELETING') await nodegroups.settled(name, nodegroup.nodegroupName);
  }
  const left = nodegroups.of(name)[0]?.nodegroup.nodegroupName;
  if (left !== undefined) throw resourceInUse('Cluster has nodegroups attached', { clusterName: name, nodegroupName: left });
  return { cluster: (await clusters.delete(record)).cluster };
};
