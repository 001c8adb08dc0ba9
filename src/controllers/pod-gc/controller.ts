// The pod garbage collector: removes pods that nobody else will: of vanished nodes, never scheduled and deleted, finished and too many.
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { nodes, pods } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { keyOf } from '#api/meta/object.ts';
import type { Informer } from '#client/informer.ts';
import type { IndexFunction } from '#client/object-cache.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import type { Ending } from '../runtime/evict.ts';
import { endPod } from '../runtime/evict.ts';
import { byNode, nodeIndex } from '../runtime/indexes.ts';
import { isPodTerminal } from '#api/core/pod-state.ts';
import { isConditionTrue } from '#api/meta/conditions.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { surplusOf } from './reconcile.ts';

const periodMs = 20_000;
/** A node must be missing for this long: it may only be registering anew. */
const quarantineMs = 40_000;
const terminatedThreshold = 12_500;
const outOfServiceTaint = 'node.kubernetes.io/out-of-service';

const byFate = 'fate';
/** Only what this controller looks at stands in the index, so that a pass never walks all pods. */
const fateIndex: IndexFunction<Pod> = (pod) => {
  if (isPodTerminal(pod)) return ['terminated'];
  if (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName) return ['unscheduled'];
  return [];
};

interface World {
  context: ControllerContext;
  nodes: Informer<Node>;
  pods: Informer<Pod>;
  /** Names that pods have said they run on. */
  nodeNames: Set<string>;
  /** Since when a node has been missing, monotonic. */
  missing: Map<string, number>;
}

export const podGarbageCollector: Controller = {
  name: 'pod-gc',
  serviceAccount: 'pod-garbage-collector',
  start(context) {
    const world: World = {
      context,
      nodes: context.informers.informer(nodes),
      pods: context.informers.informer(pods),
      nodeNames: new Set(),
      missing: new Map(),
    };
    world.pods.addIndex(byNode, nodeIndex);
    world.pods.addIndex(byFate, fateIndex);
    const note = (pod: Pod): void => {
      if (pod.spec.nodeName) world.nodeNames.add(pod.spec.nodeName);
    };
    const remove = world.pods.addHandlers({ added: note, updated: (_old, pod) => note(pod) });
    const reconciler = startReconciler(context, {
      name: 'pod-gc',
      waitFor: [world.nodes, world.pods],
      workers: 1,
      async reconcile() {
        await collect(world);
        return { requeueAfterMs: periodMs };
      },
    });
    reconciler.enqueue('all');
    return stopTogether([remove], [reconciler]);
  },
};

async function collect(world: World): Promise<void> {
  const { pods: informer } = world;
  for (const pod of surplusOf(informer.byIndex(byFate, 'terminated'), terminatedThreshold)) await end(world, pod, {});
  for (const node of world.nodes.list()) if (isOutOfService(node)) await endTerminating(world, node);
  await collectOrphans(world);
  for (const pod of informer.byIndex(byFate, 'unscheduled')) await end(world, pod, { fail: true });
}

function isOutOfService(node: Node): boolean {
  if (!node.spec?.taints?.some(({ key }) => key === outOfServiceTaint)) return false;
  return !isConditionTrue(node.status?.conditions, 'Ready');
}

async function endTerminating(world: World, node: Node): Promise<void> {
  for (const pod of world.pods.byIndex(byNode, node.metadata.name!)) {
    if (pod.metadata.deletionTimestamp !== undefined) await end(world, pod, { fail: true });
  }
}

async function collectOrphans(world: World): Promise<void> {
  const { clock } = world.context;
  const disruption = { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' };
  for (const name of world.nodeNames) {
    const bound = world.pods.byIndex(byNode, name);
    if (bound.length === 0) world.nodeNames.delete(name);
    if (bound.length === 0 || world.nodes.get(name) !== undefined) {
      world.missing.delete(name);
      continue;
    }
    const sinceMs = world.missing.get(name) ?? clock.monotonicMs();
    world.missing.set(name, sinceMs);
    if (clock.monotonicMs() - sinceMs < quarantineMs || (await nodeExists(world, name))) continue;
    for (const pod of bound) await end(world, pod, { fail: true, disruption });
  }
}

async function nodeExists({ context }: World, name: string): Promise<boolean> {
  try {
    await context.client.get(nodes, { name });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** One pod that cannot be ended does not keep the others. */
async function end({ context }: World, pod: Pod, ending: Ending): Promise<void> {
  try {
    await endPod(context, pod, { ...ending, gracePeriodSeconds: 0 });
  } catch (error) {
    context.log.warn({ pod: keyOf(pod), err: error }, 'pod not collected, will be repeated');
  }
}
