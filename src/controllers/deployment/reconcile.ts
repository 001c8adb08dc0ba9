// One pass over a Deployment, in phases: find its ReplicaSets, then pause, scale, recreate or roll, clean up, and write the status last.
import type { Deployment, DeploymentStatus, ReplicaSet } from '#api/generated/apps-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { deployments, replicasets } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import type { ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { isPodTerminal } from '#api/core/pod-state.ts';
import type { Outcome } from '../runtime/reconciler.ts';
import { syncNewReplicaSet } from './new-replicaset.ts';
import { byCreation, revisionOf } from './revision.ts';
import {
  isRollingUpdate,
  isSaturated,
  isScalingEvent,
  newReplicaSetSize,
  replicasOf,
  shareInProportion,
  shrinkOld,
  sizeAnnotations,
} from './sizes.ts';
import { countedStatus, isComplete, pausedConditions, rolloutStatus, untilDeadlineMs } from './status.ts';

/** What one pass knows and has done so far. */
export interface Rollout {
  readonly context: ControllerContext;
  /** As stored, with the conditions and the revision that the final write will carry. */
  deployment: Deployment;
  /** All ReplicaSets of the Deployment, the new one among them. */
  readonly all: readonly ReplicaSet[];
  readonly newReplicaSet: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  setNew(replicaSet: ReplicaSet): void;
  scale(replicaSet: ReplicaSet, replicas: number): Promise<boolean>;
  writeStatus(status: DeploymentStatus): Promise<void>;
}

export async function reconcileDeployment(
  context: ControllerContext,
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  podsOf: (replicaSet: ReplicaSet) => Pod[],
): Promise<Outcome | undefined> {
  const rollout = createRollout(context, deployment, replicaSets);
  const nowMs = context.clock.now();
  if (deployment.metadata.deletionTimestamp !== undefined) {
    await syncNewReplicaSet(rollout, { create: false });
    await rollout.writeStatus(countedStatus(rollout.deployment, rollout.all, rollout.newReplicaSet, nowMs));
    return undefined;
  }
  const conditions = pausedConditions(deployment, nowMs);
  if (conditions !== undefined) rollout.deployment = { ...deployment, status: { ...deployment.status, conditions } };
  if (deployment.spec.paused || isScalingEvent(deployment, replicaSets)) {
    await syncNewReplicaSet(rollout, { create: false });
    await scaleAll(rollout);
    if (deployment.spec.paused) await cleanUp(rollout);
    await rollout.writeStatus(countedStatus(rollout.deployment, rollout.all, rollout.newReplicaSet, nowMs));
    return undefined;
  }
  if (isRollingUpdate(deployment)) await roll(rollout);
  else await recreate(rollout, podsOf);
  const status = rolloutStatus(rollout.deployment, rollout.all, rollout.newReplicaSet, nowMs);
  // Status is written last: a crash before this line only repeats work.
  await rollout.writeStatus(status);
  const requeueAfterMs = untilDeadlineMs(deployment, status, nowMs);
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
}

async function roll(rollout: Rollout): Promise<void> {
  await syncNewReplicaSet(rollout, { create: true });
  const newReplicaSet = rollout.newReplicaSet!;
  const { deployment } = rollout;
  const size = replicasOf(newReplicaSet) > replicasOf(deployment) ? replicasOf(deployment) : growTo(rollout, newReplicaSet);
  // One step at a time: the status tells of it, and the change comes back as an event.
  if (await rollout.scale(newReplicaSet, size)) return;
  const shrinks = shrinkOld(deployment, rollout.old.filter(isActive), newReplicaSet);
  for (const { replicaSet, replicas } of shrinks) await rollout.scale(replicaSet, replicas);
  if (shrinks.length === 0 && isComplete(deployment, deployment.status ?? {})) await cleanUp(rollout);
}

function growTo({ deployment, all }: Rollout, newReplicaSet: ReplicaSet): number {
  const replicas = replicasOf(newReplicaSet);
  return replicas === replicasOf(deployment) ? replicas : newReplicaSetSize(deployment, all, replicas);
}

/** All old pods go, and are gone, before the first new one comes. */
async function recreate(rollout: Rollout, podsOf: (replicaSet: ReplicaSet) => Pod[]): Promise<void> {
  await syncNewReplicaSet(rollout, { create: false });
  const active = rollout.old.filter(isActive);
  for (const replicaSet of active) await rollout.scale(replicaSet, 0);
  if (active.length > 0) return;
  if (rollout.old.some((replicaSet) => podsOf(replicaSet).some((pod) => !isPodTerminal(pod)))) return;
  if (rollout.newReplicaSet === undefined) await syncNewReplicaSet(rollout, { create: true });
  const { deployment } = rollout;
  await rollout.scale(rollout.newReplicaSet!, replicasOf(deployment));
  if (isComplete(deployment, deployment.status ?? {})) await cleanUp(rollout);
}

/** The Deployment's size was changed: its ReplicaSets follow without rolling. */
async function scaleAll(rollout: Rollout): Promise<void> {
  const { deployment, newReplicaSet, all } = rollout;
  const active = all.filter(isActive);
  if (active.length <= 1) {
    const latest = active[0] ?? newReplicaSet ?? byCreation(all).at(-1);
    if (latest !== undefined) await rollout.scale(latest, replicasOf(deployment));
  } else if (isSaturated(deployment, newReplicaSet)) {
    for (const replicaSet of rollout.old.filter(isActive)) await rollout.scale(replicaSet, 0);
  } else if (isRollingUpdate(deployment)) {
    for (const { replicaSet, replicas } of shareInProportion(deployment, active)) await rollout.scale(replicaSet, replicas);
  }
}

const unlimited = 2 ** 31 - 1;

/** Deletes the oldest revisions beyond the history limit, but never one that still has pods. */
async function cleanUp({ context, deployment, old }: Rollout): Promise<void> {
  const limit = deployment.spec.revisionHistoryLimit ?? unlimited;
  if (limit === unlimited) return;
  const deletable = old.filter((replicaSet) => replicaSet.metadata.deletionTimestamp === undefined);
  const surplus = deletable.length - limit;
  if (surplus <= 0) return;
  const byRevision = byCreation(deletable).sort((a, b) => revisionOf(a) - revisionOf(b));
  for (const replicaSet of byRevision.slice(0, surplus)) {
    const { generation = 0, namespace, name, uid } = replicaSet.metadata;
    const isEmpty = replicasOf(replicaSet) === 0 && (replicaSet.status?.replicas ?? 0) === 0;
    if (!isEmpty || generation > (replicaSet.status?.observedGeneration ?? 0)) continue;
    await context.client.delete(replicasets, { namespace, name: name! }, { preconditions: { uid } }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

function isActive(replicaSet: ReplicaSet): boolean {
  return replicasOf(replicaSet) > 0;
}

function createRollout(context: ControllerContext, stored: Deployment, replicaSets: readonly ReplicaSet[]): Rollout {
  const { client, events } = context;
  const byName = new Map(replicaSets.map((replicaSet) => [replicaSet.metadata.name!, replicaSet]));
  let newName: string | undefined;
  return {
    context,
    deployment: stored,
    get all() {
      return [...byName.values()];
    },
    get newReplicaSet() {
      return newName === undefined ? undefined : byName.get(newName);
    },
    get old() {
      return [...byName.values()].filter((replicaSet) => replicaSet.metadata.name !== newName);
    },
    setNew(replicaSet) {
      newName = replicaSet.metadata.name!;
      byName.set(newName, replicaSet);
    },
    /** Answers whether the size changed. Also notes the sizes that the next proportional scaling starts from. */
    async scale(replicaSet, replicas) {
      const before = replicasOf(replicaSet);
      const annotations = sizeAnnotations(this.deployment, replicaSet);
      if (before === replicas && annotations === undefined) return false;
      const metadata = { ...replicaSet.metadata, annotations: annotations ?? replicaSet.metadata.annotations };
      const updated = await client.update(replicasets, { ...replicaSet, metadata, spec: { ...replicaSet.spec, replicas } });
      byName.set(updated.metadata.name!, updated);
      if (before === replicas) return false;
      const direction = replicas > before ? 'up' : 'down';
      const message = `Scaled ${direction} replica set ${replicaSet.metadata.name} from ${before} to ${replicas}`;
      events.event(stored, 'Normal', 'ScalingReplicaSet', message);
      return true;
    },
    async writeStatus(status) {
      const { metadata } = this.deployment;
      if (saysTheSame(status, stored.status) && saysTheSame(metadata.annotations, stored.metadata.annotations)) return;
      await client.update(deployments, { ...this.deployment, status }, { subresource: 'status' });
    },
  };
}
