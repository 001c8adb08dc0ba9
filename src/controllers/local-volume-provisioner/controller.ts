// The provisioner of the default storage class: a claim becomes a directory of this machine, which every local node can mount.
// The directory is made by the kubelet when a pod first mounts it, and removed here when the claim is gone.
import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import { persistentvolumeclaims, persistentvolumes, storageclasses } from '#api/generated/resources.ts';
import type { StorageClass } from '#api/generated/storage-v1.ts';
import { keyOf } from '#api/meta/object.ts';
import { isAlreadyExists, isNotFound } from '#api/meta/errors.ts';
import type { Informer } from '#client/informer.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { bindCompleted, claimReference, hasAnnotation, selectedNode, storageProvisioner } from '../runtime/volume-annotations.ts';

const localProvisioner = 'local.keks.dev';
const defaultStorageClass = 'keks-local';
const provisionedBy = 'pv.kubernetes.io/provisioned-by';

export interface LocalVolumes {
  /** Volumes are directories below it. */
  directory: string;
  /** Removes a volume's directory with all that is in it; a missing one is no error. */
  remove(path: string): Promise<void>;
}

export function localVolumeProvisioner({ directory, remove }: LocalVolumes): Controller {
  return {
    name: 'local-volume-provisioner',
    serviceAccount: 'persistent-volume-binder',
    start(context) {
      const claims = context.informers.informer(persistentvolumeclaims);
      const volumes = context.informers.informer(persistentvolumes);
      const classes = context.informers.informer(storageclasses);
      const provisioner = startReconciler(context, {
        name: 'local-volume-provisioner',
        waitFor: [claims, classes],
        reconcile: (key) => provision(context, directory, claims.get(key), classes),
      });
      const reclaimer = startReconciler(context, {
        name: 'local-volume-provisioner_reclaim',
        waitFor: [volumes],
        reconcile: (key) => reclaim(context, volumes.get(key), { directory, remove }),
      });
      const seeClaim = (claim: PersistentVolumeClaim) => provisioner.enqueue(keyOf(claim));
      const seeVolume = (volume: PersistentVolume) => reclaimer.enqueue(keyOf(volume));
      const handlers = [
        claims.addHandlers({ added: seeClaim, updated: (_, claim) => seeClaim(claim) }),
        volumes.addHandlers({ added: seeVolume, updated: (_, volume) => seeVolume(volume) }),
      ];
      return stopTogether(handlers, [provisioner, reclaimer]);
    },
  };
}

/** Bound at once: every local node reaches every directory, so there is no node to wait for. */
export const localStorageClass: StorageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: defaultStorageClass, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: localProvisioner,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'Immediate',
};

async function provision(
  { client, events }: ControllerContext,
  directory: string,
  claim: PersistentVolumeClaim | undefined,
  classes: Informer<StorageClass>,
): Promise<void> {
  if (claim === undefined || claim.metadata.deletionTimestamp || hasAnnotation(claim, bindCompleted)) return;
  if (claim.metadata.annotations?.[storageProvisioner] !== localProvisioner) return;
  const storageClass = classes.get(claim.spec.storageClassName ?? '');
  if (storageClass === undefined) return;
  if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && !hasAnnotation(claim, selectedNode)) return;
  if (claim.spec.volumeMode === 'Block') {
    return events.event(
      claim,
      'Warning',
      'ProvisioningFailed',
      `failed to provision volume with StorageClass "${storageClass.metadata.name}": block volumes are not supported`,
    );
  }
  const volume = volumeFor(claim, storageClass, directory);
  try {
    await client.create(persistentvolumes, volume);
    events.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volume.metadata.name}`);
  } catch (error) {
    // Made by an earlier run that died before it was bound.
    if (!isAlreadyExists(error)) throw error;
  }
}

/** The name comes from the claim's uid, so that a claim never gets two. */
function volumeFor(claim: PersistentVolumeClaim, storageClass: StorageClass, directory: string): PersistentVolume {
  const volumeName = `pvc-${claim.metadata.uid}`;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName, annotations: { [provisionedBy]: localProvisioner } },
    spec: {
      capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '0' },
      accessModes: [...(claim.spec.accessModes ?? [])],
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: storageClass.metadata.name!,
      volumeMode: 'Filesystem',
      claimRef: claimReference(claim),
      hostPath: { path: `${directory}/${volumeName}`, type: 'DirectoryOrCreate' },
    },
  };
}

async function reclaim(
  { client, events }: ControllerContext,
  volume: PersistentVolume | undefined,
  { directory, remove }: LocalVolumes,
): Promise<void> {
  if (volume?.metadata.annotations?.[provisionedBy] !== localProvisioner || volume.status?.phase !== 'Released') return;
  const name = volume.metadata.name!;
  // Anybody who may write volumes can claim this provisioner's name: only directories of its own are ever removed.
  const isOurs = volume.spec.hostPath?.path === `${directory}/${name}`;
  if (volume.spec.persistentVolumeReclaimPolicy !== 'Delete' || !isOurs) return;
  try {
    await remove(`${directory}/${name}`);
    await client.delete(persistentvolumes, { name }, { preconditions: { uid: volume.metadata.uid! } });
  } catch (error) {
    if (isNotFound(error)) return;
    events.event(volume, 'Warning', 'VolumeFailedDelete', (error as Error).message);
    throw error;
  }
}
