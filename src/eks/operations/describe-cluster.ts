// DescribeCluster: waits for work on the cluster, so that whoever has just created it sees it ACTIVE.
import type { Operation } from '#eks/context.ts';
import { noCluster } from '#eks/errors.ts';

export const describeCluster: Operation<'DescribeCluster'> = async ({ name }, { clusters }) => {
  const record = await clusters.settled(name);
  if (record === undefined) throw noCluster(name);
  return { cluster: record.cluster };
};
