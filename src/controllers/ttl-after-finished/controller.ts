// Deletes Jobs, and their pods with them, when they have been finished for as long as they ask.
import type { Job } from '#api/generated/batch-v1.ts';
import { jobs } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { keyOf } from '#api/meta/object.ts';
import type { Controller } from '../runtime/controller.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';

export const ttlAfterFinished: Controller = {
  name: 'ttl-after-finished',
  serviceAccount: 'ttl-after-finished-controller',
  start(context) {
    const informer = context.informers.informer(jobs);
    const reconciler = startReconciler(context, {
      name: 'ttl-after-finished',
      waitFor: [informer],
      async reconcile(key) {
        const cached = informer.get(key);
        if (cached === undefined || expiryMs(cached) === undefined) return undefined;
        const ref = { namespace: cached.metadata.namespace, name: cached.metadata.name! };
        try {
          // Asks the server: the time may have been prolonged while we waited.
          const job = await context.client.get(jobs, ref);
          const expiry = expiryMs(job);
          if (expiry === undefined) return undefined;
          const leftMs = expiry - context.clock.now();
          if (leftMs > 0) return { requeueAfterMs: leftMs };
          const { uid, resourceVersion } = job.metadata;
          await context.client.delete(jobs, ref, { propagationPolicy: 'Foreground', preconditions: { uid, resourceVersion } });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
        return undefined;
      },
    });
    const look = (job: Job): void => {
      if (expiryMs(job) !== undefined) reconciler.enqueue(keyOf(job));
    };
    return stopTogether([informer.addHandlers({ added: look, updated: (_old, job) => look(job) })], [reconciler]);
  },
};

/** When it is to go; undefined: not at all, or not yet known. */
function expiryMs({ metadata, spec, status }: Job): number | undefined {
  if (metadata.deletionTimestamp !== undefined || spec.ttlSecondsAfterFinished === undefined) return undefined;
  const end = status?.conditions?.find(({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True');
  return end && Date.parse(end.lastTransitionTime ?? '') + spec.ttlSecondsAfterFinished * 1000;
}
