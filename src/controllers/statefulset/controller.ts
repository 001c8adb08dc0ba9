// The StatefulSet controller: pods with names of their own, made, replaced and removed in order. A name is given out once at a time:
// the API server refuses a second pod of it, so that there are never two of one ordinal.
import type { ControllerRevision, StatefulSet } from '#api/generated/apps-v1.ts';
import type { PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import { controllerrevisions, persistentvolumeclaims, pods, statefulsets } from '#api/generated/resources.ts';
import { isPodActive } from '#api/core/pod-state.ts';
import { isAlreadyExists, isNotFound } from '#api/meta/errors.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import type { Informer } from '#client/informer.ts';
import { claimRevisions, currentRevision, templateOf, truncateHistory } from '../history/revisions.ts';
import { claimAll } from '../runtime/claim.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { createExpectations } from '../runtime/expectations.ts';
import { messageOf } from '../runtime/failures.ts';
import { byController, byNamespace, controllerIndex, namespaceIndex, orphansOf } from '../runtime/indexes.ts';
import { watchOwnedPods, watchOwners } from '../runtime/owned-pod-handlers.ts';
import type { Outcome } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { ensureClaims, retainClaims } from './claims.ts';
import { ordinalOf, podFor, revisionOf, withIdentity } from './identity.ts';
import type { Step } from './reconcile.ts';
import { nextSteps, statusOf } from './reconcile.ts';

interface World {
  context: ControllerContext;
  sets: Informer<StatefulSet>;
  revisions: Informer<ControllerRevision>;
  pods: Informer<Pod>;
  claims: Informer<PersistentVolumeClaim>;
}

export const statefulSetController: Controller = {
  name: 'statefulset',
  serviceAccount: 'statefulset-controller',
  start(context) {
    const { informers } = context;
    const world: World = {
      context,
      sets: informers.informer(statefulsets),
      revisions: informers.informer(controllerrevisions),
      pods: informers.informer(pods),
      claims: informers.informer(persistentvolumeclaims),
    };
    world.sets.addIndex(byNamespace, namespaceIndex);
    world.revisions.addIndex(byController, controllerIndex);
    world.pods.addIndex(byController, controllerIndex);
    const reconciler = startReconciler(context, {
      name: 'statefulset',
      waitFor: [world.sets, world.revisions, world.pods, world.claims],
      reconcile: (key) => reconcile(world, key),
    });
    const { enqueue } = reconciler;
    // Names do what expectations do for others: nothing is ever expected here.
    const expectations = createExpectations(context.clock);
    const selects = ({ spec }: StatefulSet, labels: Record<string, string> | undefined) =>
      selectorOfLabelSelector(spec.selector).matches(labels);
    const handlers = [
      watchOwners({ owners: world.sets, expectations, enqueue }),
      watchOwnedPods({ owners: world.sets, pods: world.pods, expectations, selects, enqueue }),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};

async function reconcile(world: World, key: string): Promise<Outcome | undefined> {
  const { context } = world;
  const set = world.sets.get(key);
  if (set === undefined) return undefined;
  const selector = selectorOfLabelSelector(set.spec.selector);
  const owned = await claimPods(world, set);
  const history = { client: context.client, resource: statefulsets, owner: set };
  const known = await claimRevisions(history, world.revisions, selector);
  const update = await currentRevision(history, known, () => countCollision(context, set));
  const current = known.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
  const revisions = { current: current.metadata.name!, update: update.metadata.name! };
  const nowMs = context.clock.now();
  // Whatever it is that fails below, the status tells how things stand.
  const status = statusOf(set, owned, revisions, nowMs);
  let failure: unknown;
  try {
    for (const pod of owned) await retainClaims(context, world.claims, set, pod);
    for (const step of nextSteps(set, owned, revisions, nowMs)) await take(world, set, step, [update, current]);
  } catch (error) {
    failure = error;
  }
  const worn = new Set([...owned.map(revisionOf), revisions.current, revisions.update]);
  await truncateHistory(history, known, ({ metadata }) => worn.has(metadata.name));
  if (!saysTheSame(set.status, status)) await context.client.update(statefulsets, { ...set, status }, { subresource: 'status' });
  if (failure !== undefined) throw failure;
  const isWaiting = (set.spec.minReadySeconds ?? 0) > 0 && status.readyReplicas !== status.availableReplicas;
  return isWaiting ? { requeueAfterMs: set.spec.minReadySeconds! * 1000 } : undefined;
}

async function countCollision({ client }: ControllerContext, set: StatefulSet): Promise<void> {
  const collisionCount = (set.status?.collisionCount ?? 0) + 1;
  await client.update(statefulsets, { ...set, status: { ...set.status!, collisionCount } }, { subresource: 'status' });
}

function claimPods({ context, pods: informer }: World, set: StatefulSet): Promise<Pod[]> {
  const selector = selectorOfLabelSelector(set.spec.selector);
  const candidates = [
    ...informer.byIndex(byController, set.metadata.uid!),
    ...informer.byIndex(byController, orphansOf(set.metadata.namespace!)).filter(isPodActive),
  ].filter((pod) => ordinalOf(set, pod) !== undefined);
  const matches = (pod: Pod) => selector.matches(pod.metadata.labels);
  return claimAll({ client: context.client, owner: set, ownerResource: statefulsets, resource: pods, matches }, candidates);
}

async function take({ context, claims }: World, set: StatefulSet, step: Step, revisions: readonly ControllerRevision[]): Promise<void> {
  const { name, namespace } = set.metadata;
  switch (step.do) {
    case 'claims':
      return await ensureClaims(context, claims, set, step.ordinal);
    case 'create': {
      await ensureClaims(context, claims, set, step.ordinal);
      const revision = revisions.find(({ metadata }) => metadata.name === step.revision)!;
      return await createPod(context, set, podFor(set, templateOf(revision), step.ordinal, step.revision));
    }
    case 'repair':
      await context.client.update(pods, withIdentity(set, step.pod, step.ordinal));
      return undefined;
    case 'delete': {
      const pod = step.pod.metadata.name;
      if (step.because === 'Failed')
        context.events.event(set, 'Warning', 'RecreatingFailedPod', `StatefulSet ${namespace}/${name} is recreating failed Pod ${pod}`);
      if (step.because === 'Succeeded')
        context.events.event(
          set,
          'Normal',
          'RecreatingTerminatedPod',
          `StatefulSet ${namespace}/${name} is recreating terminated Pod ${pod}`,
        );
      return await deletePod(context, set, step.pod);
    }
  }
}

async function createPod({ client, events }: ControllerContext, set: StatefulSet, pod: Pod): Promise<void> {
  const what = `create Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
  try {
    await client.create(pods, pod);
    events.event(set, 'Normal', 'SuccessfulCreate', `${what} successful`);
  } catch (error) {
    // Our own that the cache has not shown yet, or another's pod, whose end we must wait for: in both cases an event will tell.
    if (!isAlreadyExists(error)) events.event(set, 'Warning', 'FailedCreate', `${what} failed error: ${messageOf(error)}`);
    throw error;
  }
}

async function deletePod({ client, events }: ControllerContext, set: StatefulSet, { metadata }: Pod): Promise<void> {
  const { namespace, name, uid } = metadata;
  const what = `delete Pod ${name} in StatefulSet ${set.metadata.name}`;
  try {
    await client.delete(pods, { namespace, name: name! }, { preconditions: { uid } });
    events.event(set, 'Normal', 'SuccessfulDelete', `${what} successful`);
  } catch (error) {
    if (isNotFound(error)) return;
    events.event(set, 'Warning', 'FailedDelete', `${what} failed error: ${messageOf(error)}`);
    throw error;
  }
}
