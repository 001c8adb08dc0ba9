// ListUpdates: ids of the updates of a node group; clusters themselves are not updated yet.
import type { Operation } from '#eks/context.ts';
import { noCluster, noNodegroup } from '#eks/errors.ts';
import { pageOf } from '#eks/pagination.ts';

export const listUpdates: Operation<'ListUpdates'> = async (input, { clusters, nodegroups }) => {
  const { name, nodegroupName } = input;
  if (clusters.get(name) === undefined) throw noCluster(name);
  const record = nodegroupName === undefined ? undefined : nodegroups.get(name, nodegroupName);
  if (nodegroupName !== undefined && record === undefined) throw noNodegroup(name, nodegroupName);
  const ids = (record?.updates ?? []).map((update) => update.id).sort();
  const { names, nextToken } = pageOf(ids, input);
  return { updateIds: names, ...(nextToken !== undefined && { nextToken }) };
};
