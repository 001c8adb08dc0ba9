// ListClusters: names in order. `include` would add registered clusters, of which there are none.
import type { Operation } from '#eks/context.ts';
import { pageOf } from '#eks/pagination.ts';

export const listClusters: Operation<'ListClusters'> = async (input, { clusters }) => {
  const { names, nextToken } = pageOf(clusters.names(), input);
  return { clusters: names, ...(nextToken !== undefined && { nextToken }) };
};
