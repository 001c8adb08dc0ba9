// DescribeNodegroup: waits for work on the group, so that whoever has just created it sees it ACTIVE.
import type { Operation } from '#eks/context.ts';
import { noCluster, noNodegroup } from '#eks/errors.ts';

export const describeNodegroup: Operation<'DescribeNodegroup'> = async ({ clusterName, nodegroupName }, { clusters, nodegroups }) => {
  if ((await clusters.settled(clusterName)) === undefined) throw noCluster(clusterName);
  const record = await nodegroups.settled(clusterName, nodegroupName);
  if (record === undefined) throw noNodegroup(clusterName, nodegroupName);
  return { nodegroup: record.nodegroup };
};
