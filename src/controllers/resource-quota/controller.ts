// The quota controller: counts what each namespace's quotas are about, whenever something goes and every few minutes.
// Admission charges what comes; what was charged and then not written is given back by the next count.
import type { Pod, ResourceQuota } from '#api/generated/core-v1.ts';
import { resourcequotas } from '#api/generated/resources.ts';
import { isPodTerminal } from '#api/core/pod-state.ts';
import { isNotFound } from '#api/meta/errors.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { keyOf, qualifiedPlural } from '#api/meta/object.ts';
import { evaluatorOf } from '#api/quota/evaluators.ts';
import type { Informer } from '#client/informer.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { byNamespace, namespaceIndex } from '../runtime/indexes.ts';
import type { Outcome, Reconciler } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { countUsage } from './reconcile.ts';

/** As upstream's resource-quota-sync-period. */
const resyncMs = 300_000;
/** How long a charge may wait for its object before it is counted anew. */
const settleMs = 5_000;
/** Too many and too short-lived to be counted. */
const ignored = new Set(['events', 'events.events.k8s.io']);

export const resourceQuotaController: Controller = {
  name: 'resource-quota',
  serviceAccount: 'resourcequota-controller',
  start(context) {
    const quotas = context.informers.informer(resourcequotas);
    quotas.addIndex(byNamespace, namespaceIndex);
    const counted = context.resources
      .filter((resource) => resource.namespaced && !ignored.has(qualifiedPlural(resource)))
      .map((resource) => context.informers.informer(resource));
    for (const informer of counted) informer.addIndex(byNamespace, namespaceIndex);
    const reconciler = startReconciler(context, {
      name: 'resource-quota',
      waitFor: [quotas, ...counted],
      reconcile: (key) => reconcile(context, quotas, counted, key),
    });
    const handlers = [
      quotas.addHandlers({
        added: (quota) => reconciler.enqueue(keyOf(quota)),
        updated(old, quota) {
          if (!saysTheSame(old.spec, quota.spec)) reconciler.enqueue(keyOf(quota));
          else reconciler.enqueueAfter(keyOf(quota), settleMs);
        },
      }),
      ...counted.map((informer) => watch(informer, quotas, reconciler)),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};

function watch(informer: Informer<KubeObject>, quotas: Informer<ResourceQuota>, { enqueue, enqueueAfter }: Reconciler): () => void {
  const evaluator = evaluatorOf(informer.resource);
  const concerned = ({ metadata }: KubeObject): string[] =>
    quotas
      .byIndex(byNamespace, metadata.namespace!)
      .filter(({ spec }) => Object.keys(spec?.hard ?? {}).some((name) => evaluator.counts(name)))
      .map(keyOf);
  return informer.addHandlers({
    // Already charged: looked at again in case a count in between did not see it yet.
    added: (object) => concerned(object).forEach((key) => enqueueAfter(key, settleMs)),
    updated(old, object) {
      const hasEnded = informer.resource.plural === 'pods' && isPodTerminal(object as Pod) && !isPodTerminal(old as Pod);
      if (hasEnded || (evaluator.onUpdate && old.metadata.generation !== object.metadata.generation)) concerned(object).forEach(enqueue);
    },
    deleted: (object) => concerned(object).forEach(enqueue),
  });
}

async function reconcile(
  { client, clock }: ControllerContext,
  quotas: Informer<ResourceQuota>,
  counted: readonly Informer<KubeObject>[],
  key: string,
): Promise<Outcome | undefined> {
  const quota = quotas.get(key);
  if (quota === undefined) return undefined;
  const { namespace } = quota.metadata;
  const groups = counted.map((informer) => ({ type: informer.resource, objects: () => informer.byIndex(byNamespace, namespace!) }));
  const status = { hard: quota.spec?.hard ?? {}, used: countUsage(quota, groups, clock.now()) };
  if (!saysTheSame(status, { hard: quota.status?.hard, used: quota.status?.used })) {
    try {
      await client.update(resourcequotas, { ...quota, status }, { subresource: 'status' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return { requeueAfterMs: resyncMs };
}
