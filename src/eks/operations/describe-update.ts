// DescribeUpdate: an update of a node group, once the work it meant has come to rest.
import type { Operation } from '#eks/context.ts';
import { noCluster, noNodegroup, noUpdate } from '#eks/errors.ts';

export const describeUpdate: Operation<'DescribeUpdate'> = async ({ name, updateId, nodegroupName }, { clusters, nodegroups }) => {
  if ((await clusters.settled(name)) === undefined) throw noCluster(name);
  // Clusters themselves are not updated yet: without a node group there is none to find.
  if (nodegroupName === undefined) throw noUpdate(updateId, { clusterName: name });
  const record = await nodegroups.settled(name, nodegroupName);
  if (record === undefined) throw noNodegroup(name, nodegroupName);
  const update = record.updates.find((candidate) => candidate.id === updateId);
  if (update === undefined) throw noUpdate(updateId, { clusterName: name, nodegroupName });
  return { update };
};
