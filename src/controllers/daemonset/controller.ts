// The DaemonSet controller: one pod on every node that wants it, rolled from template to template through ControllerRevisions.
import type { ControllerRevision, DaemonSet } from '#api/generated/apps-v1.ts';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { controllerrevisions, daemonsets, nodes, pods } from '#api/generated/resources.ts';
import { isPodActive } from '#api/core/pod-state.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { keyOf } from '#api/meta/object.ts';
import type { Informer } from '#client/informer.ts';
import { claimRevisions, currentRevision, revisionHashLabel, truncateHistory } from '../history/revisions.ts';
import { claimAll } from '../runtime/claim.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import type { Expectations } from '../runtime/expectations.ts';
import { createExpectations } from '../runtime/expectations.ts';
import { byController, byNamespace, controllerIndex, namespaceIndex, orphansOf } from '../runtime/indexes.ts';
import type { PodMaker } from '../runtime/owned-pods.ts';
import { createPods, deletePods, podOf } from '../runtime/owned-pods.ts';
import { watchOwnedPods, watchOwners } from '../runtime/owned-pod-handlers.ts';
import type { Outcome } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import type { FailedPods } from './failed-pods.ts';
import { createFailedPods } from './failed-pods.ts';
import { specForNode, wishFor } from './placement.ts';
import type { Observed, Plan } from './reconcile.ts';
import { observe, plan, planUpdate, statusOf } from './reconcile.ts';

interface World {
  context: ControllerContext;
  daemonSets: Informer<DaemonSet>;
  revisions: Informer<ControllerRevision>;
  pods: Informer<Pod>;
  nodes: Informer<Node>;
  expectations: Expectations;
  failedPods: FailedPods;
}

/** No more pods than this are created or deleted in one go. */
const burstReplicas = 250;

export const daemonSetController: Controller = {
  name: 'daemonset',
  serviceAccount: 'daemon-set-controller',
  start(context) {
    const { informers, clock } = context;
    const world: World = {
      context,
      daemonSets: informers.informer(daemonsets),
      revisions: informers.informer(controllerrevisions),
      pods: informers.informer(pods),
      nodes: informers.informer(nodes),
      expectations: createExpectations(clock),
      failedPods: createFailedPods(clock),
    };
    const { daemonSets, expectations } = world;
    daemonSets.addIndex(byNamespace, namespaceIndex);
    world.revisions.addIndex(byController, controllerIndex);
    world.pods.addIndex(byController, controllerIndex);
    const reconciler = startReconciler(context, {
      name: 'daemonset',
      waitFor: [daemonSets, world.revisions, world.pods, world.nodes],
      reconcile: (key) => reconcile(world, key),
    });
    const { enqueue } = reconciler;
    const selects = ({ spec }: DaemonSet, labels: Record<string, string> | undefined) =>
      selectorOfLabelSelector(spec.selector).matches(labels);
    const handlers = [
      watchOwners({ owners: daemonSets, expectations, enqueue }),
      watchOwnedPods({ owners: daemonSets, pods: world.pods, expectations, selects, enqueue }),
      watchNodes(world, enqueue),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};

/** Only a node that comes, goes, or is wanted otherwise than before concerns anyone: heartbeats do not. */
function watchNodes({ nodes: informer, daemonSets }: World, enqueue: (key: string) => void): () => void {
  const enqueueWanting = (node: Node): void => {
    for (const daemonSet of daemonSets.list()) if (wishFor(daemonSet, node).stay) enqueue(keyOf(daemonSet));
  };
  return informer.addHandlers({
    added: enqueueWanting,
    deleted: enqueueWanting,
    updated(old, node) {
      if (saysTheSame(old.metadata.labels, node.metadata.labels) && saysTheSame(old.spec?.taints, node.spec?.taints)) return;
      for (const daemonSet of daemonSets.list())
        if (!saysTheSame(wishFor(daemonSet, old), wishFor(daemonSet, node))) enqueue(keyOf(daemonSet));
    },
  });
}

async function reconcile(world: World, key: string): Promise<Outcome | undefined> {
  const { context, expectations } = world;
  const daemonSet = world.daemonSets.get(key);
  if (daemonSet === undefined) {
    expectations.forget(key);
    return undefined;
  }
  const selector = selectorOfLabelSelector(daemonSet.spec.selector);
  if (selector.empty) {
    const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
    context.events.event(daemonSet, 'Warning', 'SelectingAll', message);
    return undefined;
  }
  if (daemonSet.metadata.deletionTimestamp !== undefined) return undefined;
  const history = { client: context.client, resource: daemonsets, owner: daemonSet };
  const revisions = await claimRevisions(history, world.revisions, selector);
  const current = await currentRevision(history, revisions, () => countCollision(context, daemonSet));
  const hash = current.metadata.labels![revisionHashLabel]!;
  const look = async () => observe(daemonSet, world.nodes.list(), await claimPods(world, daemonSet), hash, context.clock.now());
  const maker = { context, expectations, owner: daemonSet, resource: daemonsets };
  let retryAfterMs: number | undefined;
  if (expectations.satisfied(key)) retryAfterMs = await manage(world, maker, daemonSet, await look());
  if (expectations.satisfied(key) && daemonSet.spec.updateStrategy?.type === 'RollingUpdate') {
    const observed = await look();
    await act(maker, daemonSet, hash, planUpdate(daemonSet, observed));
  }
  const observed = await look();
  const worn = new Set(observed.places.flatMap((place) => place.pods.map(({ metadata }) => metadata.labels?.[revisionHashLabel])));
  const isLive = ({ metadata }: ControllerRevision) =>
    metadata.name === current.metadata.name || worn.has(metadata.labels?.[revisionHashLabel]);
  await truncateHistory(history, revisions, isLive);
  // Status is written last: a crash before this line only repeats work.
  const status = statusOf(daemonSet, observed);
  if (!saysTheSame(daemonSet.status, status)) {
    await context.client.update(daemonsets, { ...daemonSet, status }, { subresource: 'status' });
  }
  const isWaiting = (daemonSet.spec.minReadySeconds ?? 0) > 0 && status.numberReady !== status.numberAvailable;
  const requeueAfterMs = isWaiting ? daemonSet.spec.minReadySeconds! * 1000 : retryAfterMs;
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
}

async function countCollision({ client }: ControllerContext, daemonSet: DaemonSet): Promise<void> {
  const collisionCount = (daemonSet.status?.collisionCount ?? 0) + 1;
  await client.update(daemonsets, { ...daemonSet, status: { ...daemonSet.status!, collisionCount } }, { subresource: 'status' });
}

function claimPods({ context, pods: informer }: World, daemonSet: DaemonSet): Promise<Pod[]> {
  const selector = selectorOfLabelSelector(daemonSet.spec.selector);
  const candidates = [
    ...informer.byIndex(byController, daemonSet.metadata.uid!),
    ...informer.byIndex(byController, orphansOf(daemonSet.metadata.namespace!)).filter(isPodActive),
  ];
  const matches = (pod: Pod) => selector.matches(pod.metadata.labels);
  return claimAll({ client: context.client, owner: daemonSet, ownerResource: daemonsets, resource: pods, matches }, candidates);
}

/** Answers after how long to look again at pods that fail over and over. */
async function manage(
  { context, failedPods }: World,
  maker: PodMaker,
  daemonSet: DaemonSet,
  observed: Observed,
): Promise<number | undefined> {
  const { ended, ...rest } = plan(daemonSet, observed);
  let retryAfterMs: number | undefined;
  for (const pod of ended) {
    const where = `${pod.metadata.namespace}/${pod.metadata.name} on node ${pod.spec.nodeName}`;
    if (pod.status?.phase === 'Failed') {
      const waitMs = failedPods.waitMs(`${daemonSet.metadata.uid}/${pod.spec.nodeName}`);
      if (waitMs > 0) {
        retryAfterMs = Math.min(waitMs, retryAfterMs ?? Infinity);
        continue;
      }
      const message = `Found failed daemon pod ${where}, will try to kill it`;
      context.events.event(daemonSet, 'Warning', 'FailedDaemonPod', message);
    } else {
      const message = `Found succeeded daemon pod ${where}, will try to delete it`;
      context.events.event(daemonSet, 'Normal', 'SucceededDaemonPod', message);
    }
    rest.delete.push(pod);
  }
  await act(maker, daemonSet, observed.hash, rest);
  return retryAfterMs;
}

async function act(maker: PodMaker, daemonSet: DaemonSet, hash: string, { create, delete: doomed }: Plan): Promise<void> {
  const { template } = daemonSet.spec;
  const generation = daemonSet.metadata.annotations?.['deprecated.daemonset.template.generation'];
  const labels = {
    ...template.metadata?.labels,
    [revisionHashLabel]: hash,
    ...(generation !== undefined && { 'pod-template-generation': generation }),
  };
  const wanted = create
    .slice(0, burstReplicas)
    .map((node) => podOf(maker, { metadata: { ...template.metadata, labels }, spec: specForNode(template.spec!, node) }));
  if (wanted.length > 0) await createPods(maker, wanted);
  if (doomed.length > 0) await deletePods(maker, doomed.slice(0, burstReplicas));
}
