// CreateNodegroup: checks the group, keeps its record, and starts its nodes.
import type { Operation } from '#eks/context.ts';
import { toTimestamp } from '#eks/clusters/record.ts';
import { invalidParameter, invalidRequest, noCluster, resourceInUse } from '#eks/errors.ts';
import type { NodegroupRecord } from '#eks/nodegroups/record.ts';
import { architectureOf, checkNodegroup } from '#eks/nodegroups/check.ts';
import { requestHash } from '#eks/request-hash.ts';

export const createNodegroup: Operation<'CreateNodegroup'> = async (input, context) => {
  const { clusterName, nodegroupName } = input;
  const subject = { clusterName, nodegroupName };
  const cluster = await context.clusters.settled(clusterName);
  if (cluster === undefined) throw noCluster(clusterName);
  if (cluster.cluster.status !== 'ACTIVE') throw invalidRequest(`Cluster '${clusterName}' is not in ACTIVE status`, subject);
  const instanceTypes = input.instanceTypes?.length ? input.instanceTypes : ['t3.medium'];
  checkNodegroup({ ...input, instanceTypes });
  const { version } = cluster.cluster;
  if (input.version !== undefined && input.version !== version) {
    throw invalidParameter(`Nodegroup Kubernetes version should be equal to the cluster version: ${version}`, subject);
  }
  const existing = context.nodegroups.get(clusterName, nodegroupName);
  const hash = requestHash(input);
  if (existing !== undefined) {
    if (input.clientRequestToken !== undefined && existing.requestHash === hash) return { nodegroup: existing.nodegroup };
    throw resourceInUse(`NodeGroup already exists with name ${nodegroupName} and cluster name ${clusterName}`, subject);
  }
  const id = context.random.uuid();
  const nowMs = context.now();
  const scaling = input.scalingConfig ?? {};
  const record: NodegroupRecord = {
    nodegroup: {
      nodegroupName,
      nodegroupArn: `arn:aws:eks:${context.region}:${context.accountId}:nodegroup/${clusterName}/${nodegroupName}/${id}`,
      clusterName,
      version,
      releaseVersion: `${version}.0-20261101`,
      createdAt: toTimestamp(nowMs),
      modifiedAt: toTimestamp(nowMs),
      status: 'CREATING',
      capacityType: input.capacityType ?? 'ON_DEMAND',
      scalingConfig: { minSize: scaling.minSize ?? 1, maxSize: scaling.maxSize ?? 2, desiredSize: scaling.desiredSize ?? 2 },
      instanceTypes,
      subnets: input.subnets,
      amiType: input.amiType ?? (architectureOf(instanceTypes) === 'arm64' ? 'AL2023_ARM_64_STANDARD' : 'AL2023_x86_64_STANDARD'),
      nodeRole: input.nodeRole,
      labels: input.labels ?? {},
      ...(input.taints?.length && { taints: input.taints }),
      resources: { autoScalingGroups: [{ name: `eks-${nodegroupName}-${id}` }] },
      diskSize: input.diskSize ?? 20,
      health: { issues: [] },
      updateConfig: input.updateConfig ?? { maxUnavailable: 1 },
      tags: input.tags ?? {},
    },
    instances: [],
    updates: [],
    requestHash: hash,
  };
  await context.nodegroups.create(record);
  return { nodegroup: record.nodegroup };
};
