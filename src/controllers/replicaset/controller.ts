// The ReplicaSet controller: keeps the number of pods that each ReplicaSet asks for. Replication controllers are served by the same code.
import type { ReplicaSet } from '#api/generated/apps-v1.ts';
import type { Pod, ReplicationController } from '#api/generated/core-v1.ts';
import { pods, replicasets } from '#api/generated/resources.ts';
import type { ResourceType } from '#api/meta/object.ts';
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
import type { Outcome } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import type { Selector } from '#api/meta/label-selector.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { messageOf } from '../runtime/failures.ts';
import { createPods, deletePods, podOf } from '../runtime/owned-pods.ts';
import { watchOwnedPods, watchOwners } from '../runtime/owned-pod-handlers.ts';
import type { Failure, Replicated } from './reconcile.ts';
import { nextAvailabilityMs, plan, statusOf } from './reconcile.ts';

/** How a kind that keeps a number of pods differs from another. */
interface ReplicaKind<T extends Replicated> {
  name: string;
  serviceAccount: string;
  resource: ResourceType<T>;
  selectorOf(object: T): Selector;
}

interface World<T extends Replicated> {
  kind: ReplicaKind<T>;
  context: ControllerContext;
  owners: Informer<T>;
  pods: Informer<Pod>;
  expectations: Expectations;
}

export const replicaSetController: Controller = replicaController<ReplicaSet>({
  name: 'replicaset',
  serviceAccount: 'replicaset-controller',
  resource: replicasets,
  selectorOf: ({ spec }) => selectorOfLabelSelector(spec.selector),
});

export function replicaController<T extends ReplicaSet | ReplicationController>(kind: ReplicaKind<T>): Controller {
  const { name, serviceAccount } = kind;
  return { name, serviceAccount, start: (context) => start(kind, context) };
}

function start<T extends Replicated>(kind: ReplicaKind<T>, context: ControllerContext) {
  const world: World<T> = {
    kind,
    context,
    owners: context.informers.informer(kind.resource),
    pods: context.informers.informer(pods),
    expectations: createExpectations(context.clock),
  };
  const { owners, expectations } = world;
  owners.addIndex(byController, controllerIndex);
  owners.addIndex(byNamespace, namespaceIndex);
  world.pods.addIndex(byController, controllerIndex);
  const reconciler = startReconciler(context, {
    name: kind.name,
    waitFor: [owners, world.pods],
    reconcile: (key) => reconcile(world, key),
  });
  const { enqueue } = reconciler;
  const selects = (owner: T, labels: Record<string, string> | undefined) => kind.selectorOf(owner).matches(labels);
  const handlers = [
    watchOwners({ owners, expectations, enqueue }),
    watchOwnedPods({ owners, pods: world.pods, expectations, selects, enqueue }),
  ];
  return stopTogether(handlers, [reconciler]);
}

async function reconcile<T extends Replicated>(world: World<T>, key: string): Promise<Outcome | undefined> {
  const { context, expectations, kind } = world;
  const owner = world.owners.get(key);
  if (owner === undefined) {
    expectations.forget(key);
    return undefined;
  }
  const mayManage = expectations.satisfied(key);
  const owned = await claimPods(world, owner);
  const active = owned.filter(isPodActive);
  let failure: Failure | undefined;
  let cause: unknown;
  if (mayManage && owner.metadata.deletionTimestamp === undefined) {
    const maker = { context, expectations, owner, resource: kind.resource };
    const { create, delete: doomed } = plan(owner, active, () => relatedPods(world, owner), context.clock.now());
    try {
      if (create > 0) await createPods(maker, new Array<Pod>(create).fill(podOf(maker, owner.spec.template!)));
      if (doomed.length > 0) await deletePods(maker, doomed);
    } catch (error) {
      cause = error;
      failure = { reason: create > 0 ? 'FailedCreate' : 'FailedDelete', message: messageOf(error) };
    }
  }
  const nowMs = context.clock.now();
  const kept = mayManage || failure !== undefined ? failure : failureOf(owner);
  const status = statusOf(owner, { active, terminating: owned.filter(isPodTerminating).length, failure: kept, nowMs });
  if (kind.resource.kind !== 'ReplicaSet') delete status.terminatingReplicas;
  // Status is written last: a crash before this line only repeats work.
  if (!saysTheSame(owner.status, status)) {
    await context.client.update(kind.resource, { ...owner, status }, { subresource: 'status' });
  }
  if (cause !== undefined) throw cause;
  const requeueAfterMs = nextAvailabilityMs(owner, active, nowMs);
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
}

/** The failure that the status tells of already; it stands until the next attempt. */
function failureOf(owner: Replicated): Failure | undefined {
  const condition = conditionOf(owner.status?.conditions, 'ReplicaFailure');
  return condition && { reason: condition.reason as Failure['reason'], message: condition.message ?? '' };
}

function claimPods<T extends Replicated>({ context, kind, pods: informer }: World<T>, owner: T): Promise<Pod[]> {
  const selector = kind.selectorOf(owner);
  const candidates = [
    ...informer.byIndex(byController, owner.metadata.uid!),
    ...informer.byIndex(byController, orphansOf(owner.metadata.namespace!)).filter(isPodActive),
  ];
  const matches = (pod: Pod) => selector.matches(pod.metadata.labels);
  return claimAll({ client: context.client, owner, ownerResource: kind.resource, resource: pods, matches }, candidates);
}

/** The active pods of all owners with the same controller: a rollout's pods count together when a crowded node is sought. */
function relatedPods<T extends Replicated>({ owners, pods: informer }: World<T>, owner: T): Pod[] {
  const controller = controllerOf(owner);
  const siblings = controller === undefined ? [owner] : owners.byIndex(byController, controller.uid);
  return siblings.flatMap((sibling) => informer.byIndex(byController, sibling.metadata.uid!).filter(isPodActive));
}
