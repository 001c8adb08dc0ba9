// Every EKS operation that keks performs. The others of the model answer that they are not there yet.
import type { Operation } from '#eks/context.ts';
import type { OperationName } from '#eks/generated/types.ts';
import { createCluster } from './create-cluster.ts';
import { createNodegroup } from './create-nodegroup.ts';
import { deleteCluster } from './delete-cluster.ts';
import { deleteNodegroup } from './delete-nodegroup.ts';
import { describeCluster } from './describe-cluster.ts';
import { describeNodegroup } from './describe-nodegroup.ts';
import { describeUpdate } from './describe-update.ts';
import { listClusters } from './list-clusters.ts';
import { listNodegroups } from './list-nodegroups.ts';
import { listTagsForResource } from './list-tags-for-resource.ts';
import { listUpdates } from './list-updates.ts';
import { tagResource } from './tag-resource.ts';
import { untagResource } from './untag-resource.ts';
import { updateNodegroupConfig } from './update-nodegroup-config.ts';

export const implemented: { readonly [Name in OperationName]?: Operation<Name> } = {
  CreateCluster: createCluster,
  DescribeCluster: describeCluster,
  ListClusters: listClusters,
  DeleteCluster: deleteCluster,
  CreateNodegroup: createNodegroup,
  DescribeNodegroup: describeNodegroup,
  ListNodegroups: listNodegroups,
  UpdateNodegroupConfig: updateNodegroupConfig,
  DeleteNodegroup: deleteNodegroup,
  DescribeUpdate: describeUpdate,
  ListUpdates: listUpdates,
  TagResource: tagResource,
  UntagResource: untagResource,
  ListTagsForResource: listTagsForResource,
};
