// The taint eviction controller: deletes pods that do not, or no longer, tolerate the NoExecute taints of their node.
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { nodes, pods } from '#api/generated/resources.ts';
import { keyOf } from '#api/meta/object.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { endPod } from '../runtime/evict.ts';
import { byNode, nodeIndex } from '../runtime/indexes.ts';
import type { Outcome } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { evictionTime } from './reconcile.ts';

const disruption = { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' };

export const taintEvictionController: Controller = {
  name: 'taint-eviction',
  serviceAccount: 'node-controller',
  start(context) {
    const nodeInformer = context.informers.informer(nodes);
    const podInformer = context.informers.informer(pods);
    podInformer.addIndex(byNode, nodeIndex);
    /** Pods that have been told to leave at some time, so that it can be said when they need not after all. */
    const scheduled = new Set<string>();
    const reconciler = startReconciler(context, {
      name: 'taint-eviction',
      waitFor: [nodeInformer, podInformer],
      workers: 8,
      reconcile(key) {
        const pod = podInformer.get(key);
        const node = pod?.spec.nodeName ? nodeInformer.get(pod.spec.nodeName) : undefined;
        return reconcile(context, scheduled, key, pod, node);
      },
    });
    const isTainted = (name: string | undefined): boolean =>
      name !== undefined && (nodeInformer.get(name)?.spec?.taints ?? []).some(({ effect }) => effect === 'NoExecute');
    const enqueuePods = (node: Node): void => {
      for (const pod of podInformer.byIndex(byNode, node.metadata.name!)) reconciler.enqueue(keyOf(pod));
    };
    const handlers = [
      podInformer.addHandlers({
        added(pod) {
          if (isTainted(pod.spec.nodeName)) reconciler.enqueue(keyOf(pod));
        },
        updated(old, pod) {
          const isMoved = old.spec.nodeName !== pod.spec.nodeName || !saysTheSame(old.spec.tolerations, pod.spec.tolerations);
          if (isMoved && isTainted(pod.spec.nodeName)) reconciler.enqueue(keyOf(pod));
        },
        deleted: (pod) => void scheduled.delete(keyOf(pod)),
      }),
      nodeInformer.addHandlers({
        added(node) {
          if (isTainted(node.metadata.name)) enqueuePods(node);
        },
        updated(old, node) {
          if (!saysTheSame(old.spec?.taints, node.spec?.taints)) enqueuePods(node);
        },
      }),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};

async function reconcile(
  context: ControllerContext,
  scheduled: Set<string>,
  key: string,
  pod: Pod | undefined,
  node: Node | undefined,
): Promise<Outcome | undefined> {
  const { clock, events } = context;
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) {
    scheduled.delete(key);
    return undefined;
  }
  const timeMs = node && evictionTime(pod, node);
  if (timeMs === undefined) {
    if (scheduled.delete(key)) events.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
    return undefined;
  }
  const leftMs = timeMs - clock.now();
  if (leftMs > 0) {
    scheduled.add(key);
    return { requeueAfterMs: leftMs };
  }
  events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
  await endPod(context, pod, { disruption });
  return undefined;
}
