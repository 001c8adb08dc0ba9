// UpdateNodegroupConfig: size, labels, taints, and how updates go. Answers an Update that DescribeUpdate follows.
import type { NodeChange } from '#eks/clusters/host.ts';
import { toTimestamp } from '#eks/clusters/record.ts';
import type { Operation } from '#eks/context.ts';
import { noCluster, noNodegroup, parameterNotThereYet, resourceInUse } from '#eks/errors.ts';
import type { Taint, UpdateNodegroupConfigRequest, UpdateParam } from '#eks/generated/types.ts';
import { checkLabels, checkScaling, checkTaints } from '#eks/nodegroups/check.ts';
import type { NodegroupRecord } from '#eks/nodegroups/record.ts';
import { sameTaint, toNodeTaint } from '#eks/nodegroups/record.ts';

export const updateNodegroupConfig: Operation<'UpdateNodegroupConfig'> = async (input, context) => {
  const { clusterName, nodegroupName } = input;
  if ((await context.clusters.settled(clusterName)) === undefined) throw noCluster(clusterName);
  const record = await context.nodegroups.settled(clusterName, nodegroupName);
  if (record === undefined) throw noNodegroup(clusterName, nodegroupName);
  const subject = { clusterName, nodegroupName };
  if (record.nodegroup.status !== 'ACTIVE' && record.nodegroup.status !== 'DEGRADED') {
    throw resourceInUse('Nodegroup cannot be updated as it is currently not in Active State', subject);
  }
  const scaling = { ...record.nodegroup.scalingConfig, ...input.scalingConfig };
  checkScaling(scaling, subject);
  checkLabels(input.labels?.addOrUpdateLabels, subject);
  checkTaints(input.taints?.addOrUpdateTaints, subject);
  if (input.nodeRepairConfig?.enabled) throw parameterNotThereYet('nodeRepairConfig', subject);
  if (input.warmPoolConfig !== undefined) throw parameterNotThereYet('warmPoolConfig', subject);
  const update = {
    id: context.random.uuid(),
    status: 'InProgress' as const,
    type: 'ConfigUpdate' as const,
    params: paramsOf(input),
    createdAt: toTimestamp(context.now()),
    errors: [],
  };
  await context.nodegroups.update(changed(record, input, context.now()), update, changeOf(input));
  return { update };
};

function changed(record: NodegroupRecord, input: UpdateNodegroupConfigRequest, nowMs: number): NodegroupRecord {
  const labels = { ...record.nodegroup.labels, ...input.labels?.addOrUpdateLabels };
  for (const key of input.labels?.removeLabels ?? []) delete labels[key];
  const gone = [...(input.taints?.addOrUpdateTaints ?? []), ...(input.taints?.removeTaints ?? [])];
  const kept = (record.nodegroup.taints ?? []).filter((taint) => !gone.some((other) => sameTaint(taint, other)));
  return {
    ...record,
    nodegroup: {
      ...record.nodegroup,
      scalingConfig: { ...record.nodegroup.scalingConfig, ...input.scalingConfig },
      labels,
      taints: [...kept, ...(input.taints?.addOrUpdateTaints ?? [])],
      ...(input.updateConfig && { updateConfig: input.updateConfig }),
      modifiedAt: toTimestamp(nowMs),
    },
  };
}

function changeOf(input: UpdateNodegroupConfigRequest): NodeChange {
  return {
    setLabels: input.labels?.addOrUpdateLabels ?? {},
    removeLabels: input.labels?.removeLabels ?? [],
    setTaints: (input.taints?.addOrUpdateTaints ?? []).map(toNodeTaint),
    removeTaints: (input.taints?.removeTaints ?? []).map(toNodeTaint),
  };
}

/** Values are strings; structures are JSON inside them. */
function paramsOf(input: UpdateNodegroupConfigRequest): UpdateParam[] {
  const params: UpdateParam[] = [];
  const add = (type: UpdateParam['type'], value: string | number | object | undefined) => {
    if (value !== undefined) params.push({ type, value: typeof value === 'object' ? JSON.stringify(value) : String(value) });
  };
  const nonEmpty = (list: Taint[] | string[] | undefined) => (list?.length ? list : undefined);
  add('MinSize', input.scalingConfig?.minSize);
  add('MaxSize', input.scalingConfig?.maxSize);
  add('DesiredSize', input.scalingConfig?.desiredSize);
  add('LabelsToAdd', input.labels?.addOrUpdateLabels);
  add('LabelsToRemove', nonEmpty(input.labels?.removeLabels));
  add('TaintsToAdd', nonEmpty(input.taints?.addOrUpdateTaints));
  add('TaintsToRemove', nonEmpty(input.taints?.removeTaints));
  add('MaxUnavailable', input.updateConfig?.maxUnavailable);
  add('MaxUnavailablePercentage', input.updateConfig?.maxUnavailablePercentage);
  return params;
}
