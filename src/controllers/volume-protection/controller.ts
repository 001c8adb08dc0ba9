// Storage object protection: a claim that a pod uses and a volume that is bound are not deleted from under their users.
// Admission adds the finalizers; these controllers take them off when nothing uses the object any more.
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import { persistentvolumeclaims, persistentvolumes, pods } from '#api/generated/resources.ts';
import type { ResourceType } from '#api/meta/object.ts';
import { copyOf, keyOf } from '#api/meta/object.ts';
import { isNotFound } from '#api/meta/errors.ts';
import type { Client } from '#client/client.ts';
import type { Controller } from '../runtime/controller.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';

const claimFinalizer = 'kubernetes.io/pvc-protection';
const volumeFinalizer = 'kubernetes.io/pv-protection';
const byClaim = 'claim';

export const claimProtection: Controller = {
  name: 'pvc-protection',
  serviceAccount: 'pvc-protection-controller',
  start(context) {
    const claims = context.informers.informer(persistentvolumeclaims);
    const podInformer = context.informers.informer(pods);
    podInformer.addIndex(byClaim, claimKeysOf);
    const reconciler = startReconciler(context, {
      name: 'pvc-protection',
      waitFor: [claims, podInformer],
      async reconcile(key) {
        const claim = claims.get(key);
        if (!isWaiting(claim, claimFinalizer) || podInformer.byIndex(byClaim, key).some(usesVolumes)) return;
        // The cache may be behind a pod that has just started to use the claim.
        const live = await context.client.list(pods, { namespace: claim.metadata.namespace! });
        if (live.items.some((pod) => claimKeysOf(pod).includes(key) && usesVolumes(pod))) return;
        await removeFinalizer(context.client, persistentvolumeclaims, claim, claimFinalizer);
      },
    });
    const seePod = (pod: Pod) => {
      for (const key of claimKeysOf(pod)) reconciler.enqueue(key);
    };
    const handlers = [
      claims.addHandlers({ added: (claim) => reconciler.enqueue(keyOf(claim)), updated: (_, claim) => reconciler.enqueue(keyOf(claim)) }),
      podInformer.addHandlers({
        updated: (old, pod) => usesVolumes(old) && !usesVolumes(pod) && seePod(pod),
        deleted: seePod,
      }),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};

export const volumeProtection: Controller = {
  name: 'pv-protection',
  serviceAccount: 'pv-protection-controller',
  start(context) {
    const volumes = context.informers.informer(persistentvolumes);
    const reconciler = startReconciler(context, {
      name: 'pv-protection',
      waitFor: [volumes],
      async reconcile(key) {
        const volume = volumes.get(key);
        if (!isWaiting(volume, volumeFinalizer) || volume.status?.phase === 'Bound') return;
        await removeFinalizer(context.client, persistentvolumes, volume, volumeFinalizer);
      },
    });
    const see = (volume: PersistentVolume) => reconciler.enqueue(keyOf(volume));
    return stopTogether([volumes.addHandlers({ added: see, updated: (_, volume) => see(volume) })], [reconciler]);
  },
};

type Protected = PersistentVolume | PersistentVolumeClaim;

/** Deleted, and held only back by us or others. */
function isWaiting<T extends Protected>(object: T | undefined, finalizer: string): object is T {
  return object?.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).includes(finalizer);
}

/** A pod that no node has yet uses nothing, and one that has ended no longer does. */
function usesVolumes(pod: Pod): boolean {
  return Boolean(pod.spec.nodeName) && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

function claimKeysOf(pod: Pod): string[] {
  return (pod.spec.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
    claim ? [`${pod.metadata.namespace}/${claim.claimName}`] : [],
  );
}

async function removeFinalizer<T extends Protected>(
  client: Client,
  resource: ResourceType<T>,
  object: T,
  finalizer: string,
): Promise<void> {
  const changed = copyOf(object);
  changed.metadata.finalizers = changed.metadata.finalizers!.filter((name) => name !== finalizer);
  try {
    await client.update(resource, changed);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
