// The ReplicaSet of the current template: found, brought up to date, or created.
import type { Deployment, ReplicaSet } from '#api/generated/apps-v1.ts';
import { deployments, replicasets } from '#api/generated/resources.ts';
import { conditionOf } from '#api/meta/conditions.ts';
import { isAlreadyExists } from '#api/meta/errors.ts';
import { controllerReference, isControlledBy } from '#api/meta/owner-references.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/failures.ts';
import { templateHash } from '../runtime/template-hash.ts';
import type { Rollout } from './reconcile.ts';
import { annotationsFor, findNewReplicaSet, hashLabel, hasTemplateOf, nextRevision, revisionAnnotation, revisionOf } from './revision.ts';
import { newReplicaSetSize, replicasOf, sizeAnnotations } from './sizes.ts';
import type { ConditionText } from './status.ts';
import { hasProgressDeadline, setCondition } from './status.ts';

/** Sets `rollout.newReplicaSet` where there is or should be one, and notes its revision on the Deployment. */
export async function syncNewReplicaSet(rollout: Rollout, options: { create: boolean }): Promise<void> {
  const { deployment, all } = rollout;
  const existing = findNewReplicaSet(deployment, all);
  const old = all.filter((replicaSet) => replicaSet !== existing);
  const revision = nextRevision(old);
  if (existing !== undefined) {
    const current = await bringUpToDate(rollout, existing, revision);
    rollout.setNew(current);
    noteRevision(rollout, revisionOf(current));
    if (conditionOf(rollout.deployment.status?.conditions, 'Progressing') === undefined) {
      noteProgress(rollout, 'True', 'FoundNewReplicaSet', `Found new replica set "${current.metadata.name}"`);
    }
    return;
  }
  if (!options.create) return;
  const { replicaSet, isNew } = await createReplicaSet(rollout, old, revision);
  rollout.setNew(replicaSet);
  noteRevision(rollout, revision);
  if (!isNew) return;
  noteProgress(rollout, 'True', 'NewReplicaSetCreated', `Created new replica set "${replicaSet.metadata.name}"`);
}

async function bringUpToDate({ context, deployment }: Rollout, replicaSet: ReplicaSet, revision: number): Promise<ReplicaSet> {
  const annotations = annotationsFor(deployment, replicaSet.metadata.annotations, revision);
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  if (saysTheSame(annotations, replicaSet.metadata.annotations) && minReadySeconds === (replicaSet.spec.minReadySeconds ?? 0))
    return replicaSet;
  const metadata = { ...replicaSet.metadata, annotations };
  return context.client.update(replicasets, { ...replicaSet, metadata, spec: { ...replicaSet.spec, minReadySeconds } });
}

async function createReplicaSet(
  rollout: Rollout,
  old: ReplicaSet[],
  revision: number,
): Promise<{ replicaSet: ReplicaSet; isNew: boolean }> {
  const { context, deployment } = rollout;
  const wanted = replicaSetOf(deployment, old, revision);
  try {
    const replicaSet = await context.client.create(replicasets, wanted);
    const replicas = replicasOf(replicaSet);
    if (replicas > 0) {
      const message = `Scaled up replica set ${replicaSet.metadata.name} from 0 to ${replicas}`;
      context.events.event(deployment, 'Normal', 'ScalingReplicaSet', message);
    }
    return { replicaSet, isNew: true };
  } catch (error) {
    if (isAlreadyExists(error)) return { replicaSet: await ownOrCollision(rollout, wanted, error), isNew: false };
    // In a namespace that is going nothing can be created, and nobody waits for it.
    if (!isNamespaceTerminating(error)) await tellFailure(rollout, wanted, error);
    throw error;
  }
}

/** The name is taken: by our own creation that the cache has not shown yet, or by another template of the same hash. */
async function ownOrCollision({ context, deployment }: Rollout, wanted: ReplicaSet, error: unknown): Promise<ReplicaSet> {
  const { namespace, name } = wanted.metadata;
  const taken = await context.client.get(replicasets, { namespace, name: name! });
  if (isControlledBy(taken, deployment) && hasTemplateOf(deployment, taken)) return taken;
  const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
  await context.client.update(deployments, { ...deployment, status: { ...deployment.status, collisionCount } }, { subresource: 'status' });
  throw error;
}

async function tellFailure(rollout: Rollout, wanted: ReplicaSet, error: unknown): Promise<void> {
  const message = `Failed to create new replica set "${wanted.metadata.name}": ${messageOf(error)}`;
  noteProgress(rollout, 'False', 'ReplicaSetCreateError', message);
  rollout.context.events.event(rollout.deployment, 'Warning', 'ReplicaSetCreateError', message);
  await rollout.writeStatus(rollout.deployment.status ?? {});
}

export function replicaSetOf(deployment: Deployment, old: readonly ReplicaSet[], revision: number): ReplicaSet {
  const { name, namespace } = deployment.metadata;
  const hash = templateHash(deployment.spec.template, deployment.status?.collisionCount);
  const { template, selector, minReadySeconds } = deployment.spec;
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const replicaSet: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      // Room is left for the hash: names end at 253 characters, and a pod's generated name needs some more.
      name: `${name!.slice(0, 252 - hash.length)}-${hash}`,
      namespace,
      labels,
      annotations: annotationsFor(deployment, undefined, revision),
      ownerReferences: [controllerReference(deployments, deployment)],
    },
    spec: {
      replicas: newReplicaSetSize(deployment, old, 0),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  replicaSet.metadata.annotations = sizeAnnotations(deployment, replicaSet) ?? replicaSet.metadata.annotations;
  return replicaSet;
}

function noteRevision(rollout: Rollout, revision: number): void {
  const { deployment } = rollout;
  const annotations = deployment.metadata.annotations ?? {};
  if (annotations[revisionAnnotation] === String(revision)) return;
  const metadata = { ...deployment.metadata, annotations: { ...annotations, [revisionAnnotation]: String(revision) } };
  rollout.deployment = { ...deployment, metadata };
}

function noteProgress(rollout: Rollout, status: ConditionText['status'], reason: string, message: string): void {
  const { deployment, context } = rollout;
  if (!hasProgressDeadline(deployment)) return;
  const text: ConditionText = { type: 'Progressing', status, reason, message };
  const conditions = setCondition(deployment.status?.conditions ?? [], text, context.clock.now());
  rollout.deployment = { ...deployment, status: { ...deployment.status, conditions } };
}
