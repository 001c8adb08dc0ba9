// The ReplicaSet controller: keeps the number of pods that each ReplicaSet asks for.
import type { ReplicaSet } from '#api/generated/apps-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { pods, replicasets } from '#api/generated/resources.ts';
import { keyOf } from '#api/meta/object.ts';
import type { Informer } from '#client/informer.ts';
import { claimAll } from '../runtime/claim.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import type { Expectations } from '../runtime/expectations.ts';
import { createExpectations } from '../runtime/expectations.ts';
import { byController, byNamespace, controllerIndex, namespaceIndex, orphansOf } from '../runtime/indexes.ts';
import { controllerOf } from '#api/meta/owner-references.ts';
import { isPodActive, isPodTerminating } from '#api/core/pod-state.ts';
import { conditionOf } from '#api/meta/conditions.ts';
import type { Outcome, Reconciler } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { messageOf } from '../runtime/failures.ts';
import { createPods, deletePods } from './pods.ts';
import type { Failure } from './reconcile.ts';
import { nextAvailabilityMs, plan, statusOf } from './reconcile.ts';

interface World {
  context: ControllerContext;
  replicaSets: Informer<ReplicaSet>;
  pods: Informer<Pod>;
  expectations: Expectations;
}

export const replicaSetController: Controller = {
  name: 'replicaset',
  serviceAccount: 'replicaset-controller',
  start(context) {
    const world: World = {
      context,
      replicaSets: context.informers.informer(replicasets),
      pods: context.informers.informer(pods),
      expectations: createExpectations(context.clock),
    };
    world.replicaSets.addIndex(byController, controllerIndex);
    world.replicaSets.addIndex(byNamespace, namespaceIndex);
    world.pods.addIndex(byController, controllerIndex);
    const reconciler = startReconciler(context, {
      name: 'replicaset',
      waitFor: [world.replicaSets, world.pods],
      reconcile: (key) => reconcile(world, key),
    });
    return stopTogether([watchReplicaSets(world, reconciler), watchPods(world, reconciler)], [reconciler]);
  },
};

function watchReplicaSets({ replicaSets, expectations }: World, { enqueue }: Reconciler): () => void {
  return replicaSets.addHandlers({
    added: (replicaSet) => enqueue(keyOf(replicaSet)),
    updated(old, current) {
      if (old.metadata.uid !== current.metadata.uid) expectations.forget(keyOf(old));
      enqueue(keyOf(current));
    },
    deleted(replicaSet) {
      // What was expected concerned this one: another of the same name starts afresh.
      expectations.forget(keyOf(replicaSet));
      enqueue(keyOf(replicaSet));
    },
  });
}

function watchPods(world: World, { enqueue }: Reconciler): () => void {
  const { expectations } = world;
  const ownerKey = (pod: Pod): string | undefined => ownerOf(world, pod);
  const enqueueMatching = (pod: Pod): void => {
    for (const replicaSet of world.replicaSets.byIndex(byNamespace, pod.metadata.namespace!)) {
      if (selectorOfLabelSelector(replicaSet.spec.selector).matches(pod.metadata.labels)) enqueue(keyOf(replicaSet));
    }
  };
  const going = (pod: Pod): void => {
    const key = ownerKey(pod);
    if (key === undefined) return;
    expectations.deletionObserved(key, pod.metadata.uid!);
    enqueue(key);
  };
  return world.pods.addHandlers({
    added(pod) {
      if (pod.metadata.deletionTimestamp !== undefined) return going(pod);
      const key = ownerKey(pod);
      if (key !== undefined) {
        expectations.creationObserved(key);
        enqueue(key);
      } else if (controllerOf(pod) === undefined) enqueueMatching(pod);
    },
    updated(old, pod) {
      if (pod.metadata.deletionTimestamp !== undefined) return going(pod);
      const [before, after] = [ownerKey(old), ownerKey(pod)];
      if (before !== undefined && before !== after) enqueue(before);
      if (after !== undefined) enqueue(after);
      else if (controllerOf(pod) === undefined && (before !== undefined || !saysTheSame(old.metadata.labels, pod.metadata.labels))) {
        enqueueMatching(pod);
      }
    },
    deleted: going,
  });
}

/** The key of the ReplicaSet that controls the pod, if there is such a one. */
function ownerOf({ replicaSets }: World, pod: Pod): string | undefined {
  const controller = controllerOf(pod);
  if (controller?.kind !== 'ReplicaSet') return undefined;
  const key = `${pod.metadata.namespace}/${controller.name}`;
  return replicaSets.get(key)?.metadata.uid === controller.uid ? key : undefined;
}

async function reconcile(world: World, key: string): Promise<Outcome | undefined> {
  const { context, expectations } = world;
  const replicaSet = world.replicaSets.get(key);
  if (replicaSet === undefined) {
    expectations.forget(key);
    return undefined;
  }
  const mayManage = expectations.satisfied(key);
  const owned = await claimPods(world, replicaSet);
  const active = owned.filter(isPodActive);
  let failure: Failure | undefined;
  let cause: unknown;
  if (mayManage && replicaSet.metadata.deletionTimestamp === undefined) {
    const { create, delete: doomed } = plan(replicaSet, active, () => relatedPods(world, replicaSet), context.clock.now());
    try {
      if (create > 0) await createPods(context, expectations, replicaSet, create);
      if (doomed.length > 0) await deletePods(context, expectations, replicaSet, doomed);
    } catch (error) {
      cause = error;
      failure = { reason: create > 0 ? 'FailedCreate' : 'FailedDelete', message: messageOf(error) };
    }
  }
  const nowMs = context.clock.now();
  const kept = mayManage || failure !== undefined ? failure : failureOf(replicaSet);
  const status = statusOf(replicaSet, { active, terminating: owned.filter(isPodTerminating).length, failure: kept, nowMs });
  // Status is written last: a crash before this line only repeats work.
  if (!saysTheSame(replicaSet.status, status)) {
    await context.client.update(replicasets, { ...replicaSet, status }, { subresource: 'status' });
  }
  if (cause !== undefined) throw cause;
  const requeueAfterMs = nextAvailabilityMs(replicaSet, active, nowMs);
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
}

/** The failure that the status tells of already; it stands until the next attempt. */
function failureOf(replicaSet: ReplicaSet): Failure | undefined {
  const condition = conditionOf(replicaSet.status?.conditions, 'ReplicaFailure');
  return condition && { reason: condition.reason as Failure['reason'], message: condition.message ?? '' };
}

function claimPods({ context, pods: informer }: World, replicaSet: ReplicaSet): Promise<Pod[]> {
  const selector = selectorOfLabelSelector(replicaSet.spec.selector);
  const candidates = [
    ...informer.byIndex(byController, replicaSet.metadata.uid!),
    ...informer.byIndex(byController, orphansOf(replicaSet.metadata.namespace!)).filter(isPodActive),
  ];
  return claimAll(
    {
      client: context.client,
      owner: replicaSet,
      ownerResource: replicasets,
      resource: pods,
      matches: (pod) => selector.matches(pod.metadata.labels),
    },
    candidates,
  );
}

/** The active pods of all ReplicaSets with the same controller: a rollout's pods count together when a crowded node is sought. */
function relatedPods({ replicaSets, pods: informer }: World, replicaSet: ReplicaSet): Pod[] {
  const controller = controllerOf(replicaSet);
  const siblings = controller === undefined ? [replicaSet] : replicaSets.byIndex(byController, controller.uid);
  return siblings.flatMap((sibling) => informer.byIndex(byController, sibling.metadata.uid!).filter(isPodActive));
}
