// The Deployment controller: rolls each Deployment's pods from one template to the next through ReplicaSets.
import type { Deployment, ReplicaSet } from '#api/generated/apps-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { deployments, pods, replicasets } from '#api/generated/resources.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { keyOf } from '#api/meta/object.ts';
import { controllerOf } from '#api/meta/owner-references.ts';
import type { Informer } from '#client/informer.ts';
import { claimAll } from '../runtime/claim.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { byController, byNamespace, controllerIndex, namespaceIndex, orphansOf } from '../runtime/indexes.ts';
import type { Outcome, Reconciler } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { reconcileDeployment } from './reconcile.ts';
import { isRollingUpdate } from './sizes.ts';

interface World {
  context: ControllerContext;
  deployments: Informer<Deployment>;
  replicaSets: Informer<ReplicaSet>;
  pods: Informer<Pod>;
}

export const deploymentController: Controller = {
  name: 'deployment',
  serviceAccount: 'deployment-controller',
  start(context) {
    const { informers } = context;
    const world: World = {
      context,
      deployments: informers.informer(deployments),
      replicaSets: informers.informer(replicasets),
      pods: informers.informer(pods),
    };
    world.deployments.addIndex(byNamespace, namespaceIndex);
    world.replicaSets.addIndex(byController, controllerIndex);
    world.replicaSets.addIndex(byNamespace, namespaceIndex);
    world.pods.addIndex(byController, controllerIndex);
    const reconciler = startReconciler(context, {
      name: 'deployment',
      waitFor: [world.deployments, world.replicaSets, world.pods],
      reconcile: (key) => reconcile(world, key),
    });
    const handlers = [
      world.deployments.addHandlers({
        added: (deployment) => reconciler.enqueue(keyOf(deployment)),
        updated: (_old, deployment) => reconciler.enqueue(keyOf(deployment)),
      }),
      watchReplicaSets(world, reconciler),
      watchPods(world, reconciler),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};

function watchReplicaSets(world: World, { enqueue }: Reconciler): () => void {
  const enqueueOwner = (replicaSet: ReplicaSet): void => {
    const deployment = ownerOf(world, replicaSet);
    if (deployment !== undefined) enqueue(keyOf(deployment));
    else if (controllerOf(replicaSet) === undefined && replicaSet.metadata.deletionTimestamp === undefined) {
      for (const candidate of world.deployments.byIndex(byNamespace, replicaSet.metadata.namespace!)) {
        if (selectorOfLabelSelector(candidate.spec.selector).matches(replicaSet.metadata.labels)) enqueue(keyOf(candidate));
      }
    }
  };
  return world.replicaSets.addHandlers({
    added: enqueueOwner,
    updated(old, current) {
      if (controllerOf(old)?.uid !== controllerOf(current)?.uid) {
        const before = ownerOf(world, old);
        if (before !== undefined) enqueue(keyOf(before));
      }
      enqueueOwner(current);
    },
    deleted: enqueueOwner,
  });
}

/** A Recreate rollout goes on when the last old pod is gone. */
function watchPods(world: World, { enqueue }: Reconciler): () => void {
  return world.pods.addHandlers({
    deleted(pod) {
      const controller = controllerOf(pod);
      const replicaSet = controller && world.replicaSets.get(`${pod.metadata.namespace}/${controller.name}`);
      const deployment = replicaSet && ownerOf(world, replicaSet);
      if (deployment !== undefined && !isRollingUpdate(deployment)) enqueue(keyOf(deployment));
    },
  });
}

function ownerOf(world: World, replicaSet: ReplicaSet): Deployment | undefined {
  const controller = controllerOf(replicaSet);
  if (controller?.kind !== 'Deployment') return undefined;
  const deployment = world.deployments.get(`${replicaSet.metadata.namespace}/${controller.name}`);
  return deployment?.metadata.uid === controller.uid ? deployment : undefined;
}

async function reconcile(world: World, key: string): Promise<Outcome | undefined> {
  const { context } = world;
  const deployment = world.deployments.get(key);
  if (deployment === undefined) return undefined;
  const selector = selectorOfLabelSelector(deployment.spec.selector);
  if (selector.empty) return refuseToSelectAll(context, deployment);
  const candidates = [
    ...world.replicaSets.byIndex(byController, deployment.metadata.uid!),
    ...world.replicaSets.byIndex(byController, orphansOf(deployment.metadata.namespace!)),
  ];
  const owned = await claimAll(
    {
      client: context.client,
      owner: deployment,
      ownerResource: deployments,
      resource: replicasets,
      matches: (replicaSet) => selector.matches(replicaSet.metadata.labels),
    },
    candidates,
  );
  return reconcileDeployment(context, deployment, owned, (replicaSet) => world.pods.byIndex(byController, replicaSet.metadata.uid!));
}

async function refuseToSelectAll({ client, events }: ControllerContext, deployment: Deployment): Promise<undefined> {
  events.event(deployment, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.');
  const { generation } = deployment.metadata;
  if ((deployment.status?.observedGeneration ?? 0) >= (generation ?? 0)) return;
  await client.update(
    deployments,
    { ...deployment, status: { ...deployment.status, observedGeneration: generation } },
    { subresource: 'status' },
  );
}
