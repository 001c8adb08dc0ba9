// ListNodegroups: a cluster's node groups by name, in order.
import type { Operation } from '#eks/context.ts';
import { noCluster } from '#eks/errors.ts';
import { pageOf } from '#eks/pagination.ts';

export const listNodegroups: Operation<'ListNodegroups'> = async (input, { clusters, nodegroups }) => {
  if (clusters.get(input.clusterName) === undefined) throw noCluster(input.clusterName);
  const { names, nextToken } = pageOf(
    nodegroups.of(input.clusterName).map((record) => record.nodegroup.nodegroupName),
    input,
  );
  return { nodegroups: names, ...(nextToken !== undefined && { nextToken }) };
};
