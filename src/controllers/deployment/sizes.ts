// How many replicas each ReplicaSet of a Deployment should have: the arithmetic of rolling and of proportional scaling.
import type { Deployment, ReplicaSet } from '#api/generated/apps-v1.ts';
import { scaledIntOrPercent } from '#api/meta/int-or-string.ts';
import { byCreation, compareText, desiredAnnotation, maxAnnotation } from './revision.ts';

export function replicasOf(object: { spec: { replicas?: number } }): number {
  return object.spec.replicas ?? 1;
}

const sumOfReplicas = (replicaSets: readonly ReplicaSet[]): number => replicaSets.reduce((sum, one) => sum + replicasOf(one), 0);
export const sumOfAvailable = (replicaSets: readonly ReplicaSet[]): number =>
  replicaSets.reduce((sum, one) => sum + (one.status?.availableReplicas ?? 0), 0);

export function isRollingUpdate(deployment: Deployment): boolean {
  return (deployment.spec.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
}

/** Surge rounds up, unavailable rounds down; if both come to nothing one pod may be unavailable, or nothing could ever move. */
export function rollingLimits(deployment: Deployment): { maxSurge: number; maxUnavailable: number } {
  const replicas = replicasOf(deployment);
  if (!isRollingUpdate(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge: surge = '25%', maxUnavailable: unavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {};
  const maxSurge = scaledIntOrPercent(surge, replicas, true);
  let maxUnavailable = scaledIntOrPercent(unavailable, replicas, false);
  if (maxSurge === 0 && maxUnavailable === 0) maxUnavailable = 1;
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}

function maxReplicas(deployment: Deployment): number {
  return replicasOf(deployment) + rollingLimits(deployment).maxSurge;
}

/** The size that the new ReplicaSet may grow to now. */
export function newReplicaSetSize(deployment: Deployment, all: readonly ReplicaSet[], newReplicas: number): number {
  const wanted = replicasOf(deployment);
  if (!isRollingUpdate(deployment)) return wanted;
  const room = maxReplicas(deployment) - sumOfReplicas(all);
  return room <= 0 ? newReplicas : newReplicas + Math.min(room, wanted - newReplicas);
}

export interface Scaling {
  replicaSet: ReplicaSet;
  replicas: number;
}

/** Old ReplicaSets of a rolling update: first what never became available, then as much as keeps the minimum available. */
export function shrinkOld(deployment: Deployment, old: readonly ReplicaSet[], newReplicaSet: ReplicaSet): Scaling[] {
  const all = [...old, newReplicaSet];
  const minAvailable = replicasOf(deployment) - rollingLimits(deployment).maxUnavailable;
  const newUnavailable = replicasOf(newReplicaSet) - (newReplicaSet.status?.availableReplicas ?? 0);
  let unhealthyBudget = sumOfReplicas(all) - minAvailable - newUnavailable;
  if (sumOfReplicas(old) === 0 || unhealthyBudget <= 0) return [];
  let healthyBudget = sumOfAvailable(all) - minAvailable;
  const scalings: Scaling[] = [];
  const sizes = new Map<ReplicaSet, number>();
  for (const replicaSet of byCreation(old)) {
    const replicas = replicasOf(replicaSet);
    const cut = Math.max(0, Math.min(unhealthyBudget, replicas - (replicaSet.status?.availableReplicas ?? 0)));
    unhealthyBudget -= cut;
    sizes.set(replicaSet, replicas - cut);
  }
  for (const [replicaSet, size] of sizes) {
    const cut = Math.max(0, Math.min(healthyBudget, size));
    healthyBudget -= cut;
    if (size - cut !== replicasOf(replicaSet)) scalings.push({ replicaSet, replicas: size - cut });
  }
  return scalings;
}

/**
 * A Deployment that is scaled in the middle of a rollout shares the change among its ReplicaSets in proportion to their sizes;
 * the largest takes what rounding leaves.
 */
export function shareInProportion(deployment: Deployment, active: readonly ReplicaSet[]): Scaling[] {
  const wanted = replicasOf(deployment);
  const allowed = wanted > 0 ? maxReplicas(deployment) : 0;
  const change = allowed - sumOfReplicas(active);
  const sorted = [...active].sort((a, b) => replicasOf(b) - replicasOf(a) || (change > 0 ? newerFirst(a, b) : -newerFirst(a, b)));
  let shared = 0;
  const scalings = sorted.map((replicaSet) => {
    const share = change === 0 ? 0 : shareOf(deployment, replicaSet, change, shared);
    shared += share;
    return { replicaSet, replicas: replicasOf(replicaSet) + share };
  });
  if (scalings[0] !== undefined && change !== 0) scalings[0].replicas = Math.max(0, scalings[0].replicas + change - shared);
  return scalings;
}

function shareOf(deployment: Deployment, replicaSet: ReplicaSet, change: number, shared: number): number {
  if (replicasOf(replicaSet) === 0 || change === shared) return 0;
  const fraction = fractionOf(deployment, replicaSet);
  const left = change - shared;
  return change > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
}

function fractionOf(deployment: Deployment, replicaSet: ReplicaSet): number {
  const replicas = replicasOf(replicaSet);
  if (replicasOf(deployment) === 0) return -replicas;
  const before = Number(replicaSet.metadata.annotations?.[maxAnnotation] ?? 0) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((replicas * maxReplicas(deployment)) / before) - replicas;
}

function newerFirst(a: ReplicaSet, b: ReplicaSet): number {
  return (
    compareText(b.metadata.creationTimestamp ?? '', a.metadata.creationTimestamp ?? '') || compareText(b.metadata.name!, a.metadata.name!)
  );
}

/** The sizes that proportional scaling starts from next time; undefined if they are noted already. */
export function sizeAnnotations(deployment: Deployment, replicaSet: ReplicaSet): Record<string, string> | undefined {
  const noted = replicaSet.metadata.annotations ?? {};
  const [desired, max] = [String(replicasOf(deployment)), String(maxReplicas(deployment))];
  if (noted[desiredAnnotation] === desired && noted[maxAnnotation] === max) return undefined;
  return { ...noted, [desiredAnnotation]: desired, [maxAnnotation]: max };
}

/** Whether the Deployment's size was changed since its ReplicaSets were last scaled. */
export function isScalingEvent(deployment: Deployment, all: readonly ReplicaSet[]): boolean {
  return all.some((replicaSet) => {
    const noted = replicaSet.metadata.annotations?.[desiredAnnotation];
    return replicasOf(replicaSet) > 0 && noted !== undefined && Number(noted) !== replicasOf(deployment);
  });
}

/** Fully rolled out at the size asked for. */
export function isSaturated(deployment: Deployment, newReplicaSet: ReplicaSet | undefined): boolean {
  const wanted = replicasOf(deployment);
  return (
    newReplicaSet !== undefined &&
    replicasOf(newReplicaSet) === wanted &&
    Number(newReplicaSet.metadata.annotations?.[desiredAnnotation]) === wanted &&
    newReplicaSet.status?.availableReplicas === wanted
  );
}
