// A Deployment's status and what it says of the rollout: complete, progressing, out of time, failing.
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '#api/generated/apps-v1.ts';
import { conditionOf } from '#api/meta/conditions.ts';
import { toTime } from '#lib/clock.ts';
import { replicasOf, rollingLimits, sumOfAvailable } from './sizes.ts';

const noDeadline = 2 ** 31 - 1;

export function hasProgressDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== noDeadline;
}

export interface ConditionText {
  type: 'Available' | 'Progressing' | 'ReplicaFailure';
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
}

/** Sets a condition; if status and reason are the same already nothing changes, not even the message. */
export function setCondition(conditions: readonly DeploymentCondition[], text: ConditionText, nowMs: number): DeploymentCondition[] {
  const current = conditionOf(conditions, text.type);
  if (current?.status === text.status && current.reason === text.reason) return [...conditions];
  const now = toTime(nowMs);
  const lastTransitionTime = current?.status === text.status ? current.lastTransitionTime : now;
  return [...without(conditions, text.type), { ...text, lastUpdateTime: now, lastTransitionTime }];
}

function without(conditions: readonly DeploymentCondition[], type: string): DeploymentCondition[] {
  return conditions.filter((condition) => condition.type !== type);
}

/** Counts and the Available condition; the other conditions as they stand. */
export function countedStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newReplicaSet: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const sum = (field: 'replicas' | 'readyReplicas' | 'terminatingReplicas'): number =>
    all.reduce((total, one) => total + (one.status?.[field] ?? 0), 0);
  const replicas = sum('replicas');
  const availableReplicas = sumOfAvailable(all);
  const isAvailable = availableReplicas >= replicasOf(deployment) - rollingLimits(deployment).maxUnavailable;
  return {
    observedGeneration: deployment.metadata.generation,
    replicas,
    updatedReplicas: newReplicaSet?.status?.replicas ?? 0,
    readyReplicas: sum('readyReplicas'),
    availableReplicas,
    unavailableReplicas: Math.max(0, replicas - availableReplicas),
    terminatingReplicas: sum('terminatingReplicas'),
    ...(deployment.status?.collisionCount !== undefined && { collisionCount: deployment.status.collisionCount }),
    conditions: setCondition(
      deployment.status?.conditions ?? [],
      isAvailable
        ? {
            type: 'Available',
            status: 'True',
            reason: 'MinimumReplicasAvailable',
            message: 'Deployment has minimum availability.',
          }
        : {
            type: 'Available',
            status: 'False',
            reason: 'MinimumReplicasUnavailable',
            message: 'Deployment does not have minimum availability.',
          },
      nowMs,
    ),
  };
}

/** The status of a Deployment that is rolling out. */
export function rolloutStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newReplicaSet: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const status = countedStatus(deployment, all, newReplicaSet, nowMs);
  let conditions = status.conditions ?? [];
  const current = conditionOf(deployment.status?.conditions, 'Progressing');
  const isDone = status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable';
  if (!hasProgressDeadline(deployment)) conditions = without(conditions, 'Progressing');
  else if (!isDone) conditions = withProgress(deployment, status, newReplicaSet, conditions, nowMs);
  const failure = replicaFailure(all, newReplicaSet);
  conditions = failure === undefined ? without(conditions, 'ReplicaFailure') : setCondition(conditions, failure, nowMs);
  return { ...status, conditions };
}

function withProgress(
  deployment: Deployment,
  status: DeploymentStatus,
  newReplicaSet: ReplicaSet | undefined,
  conditions: DeploymentCondition[],
  nowMs: number,
): DeploymentCondition[] {
  const subject = newReplicaSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newReplicaSet.metadata.name}"`;
  const progressing = (value: 'True' | 'False', reason: string, message: string): ConditionText => ({
    type: 'Progressing',
    status: value,
    reason,
    message: `${subject} ${message}`,
  });
  if (isComplete(deployment, status)) {
    return setCondition(conditions, progressing('True', 'NewReplicaSetAvailable', 'has successfully progressed.'), nowMs);
  }
  if (hasProgressed(deployment.status ?? {}, status)) {
    const text = progressing('True', 'ReplicaSetUpdated', 'is progressing.');
    const current = conditionOf(conditions, 'Progressing');
    // Progress moves the update time, which the deadline is counted from, though status and reason stay.
    const now = toTime(nowMs);
    const lastTransitionTime = current?.status === text.status ? current.lastTransitionTime : now;
    return [...without(conditions, 'Progressing'), { ...text, lastUpdateTime: now, lastTransitionTime }];
  }
  if (isTimedOut(deployment, conditions, nowMs)) {
    return setCondition(conditions, progressing('False', 'ProgressDeadlineExceeded', 'has timed out progressing.'), nowMs);
  }
  return conditions;
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed(old: DeploymentStatus, current: DeploymentStatus): boolean {
  const count = (status: DeploymentStatus, field: 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas') =>
    status[field] ?? 0;
  const outdated = (status: DeploymentStatus) => count(status, 'replicas') - count(status, 'updatedReplicas');
  return (
    count(current, 'updatedReplicas') > count(old, 'updatedReplicas') ||
    outdated(current) < outdated(old) ||
    count(current, 'readyReplicas') > count(old, 'readyReplicas') ||
    count(current, 'availableReplicas') > count(old, 'availableReplicas')
  );
}

function isTimedOut(deployment: Deployment, conditions: DeploymentCondition[], nowMs: number): boolean {
  const condition = conditionOf(conditions, 'Progressing');
  if (condition === undefined || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return deadlineMs(deployment, condition) < nowMs;
}

function deadlineMs(deployment: Deployment, condition: DeploymentCondition): number {
  return Date.parse(condition.lastUpdateTime ?? '') + deployment.spec.progressDeadlineSeconds! * 1000;
}

/** How long until the deadline must be looked at; undefined where there is none to wait for. */
export function untilDeadlineMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const condition = conditionOf(status.conditions, 'Progressing');
  if (!hasProgressDeadline(deployment) || condition === undefined) return undefined;
  // Once rolled out, or late already, no deadline is running.
  if (condition.reason === 'NewReplicaSetAvailable' || condition.reason === 'ProgressDeadlineExceeded') return undefined;
  if (isComplete(deployment, status)) return undefined;
  // A second more than needed: times are kept in whole seconds.
  return Math.max(0, deadlineMs(deployment, condition) - nowMs) + 1000;
}

function replicaFailure(all: readonly ReplicaSet[], newReplicaSet: ReplicaSet | undefined): ConditionText | undefined {
  const sources = newReplicaSet === undefined ? all : [newReplicaSet, ...all];
  for (const { status } of sources) {
    const condition = conditionOf(status?.conditions, 'ReplicaFailure');
    if (condition !== undefined) {
      const { reason = '', message = '' } = condition;
      return { type: 'ReplicaFailure', status: condition.status as ConditionText['status'], reason, message };
    }
  }
  return undefined;
}

/** Pausing stops the deadline, resuming starts it anew; undefined where nothing changes. */
export function pausedConditions(deployment: Deployment, nowMs: number): DeploymentCondition[] | undefined {
  if (!hasProgressDeadline(deployment)) return undefined;
  const conditions = deployment.status?.conditions ?? [];
  const current = conditionOf(conditions, 'Progressing');
  if (current?.reason === 'ProgressDeadlineExceeded') return undefined;
  const isNoted = current?.reason === 'DeploymentPaused';
  const common = { type: 'Progressing', status: 'Unknown' } as const;
  if (deployment.spec.paused && !isNoted) {
    return setCondition(conditions, { ...common, reason: 'DeploymentPaused', message: 'Deployment is paused' }, nowMs);
  }
  if (!deployment.spec.paused && isNoted) {
    return setCondition(conditions, { ...common, reason: 'DeploymentResumed', message: 'Deployment is resumed' }, nowMs);
  }
  return undefined;
}
