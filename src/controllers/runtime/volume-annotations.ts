// By what the binder, provisioners and the scheduler agree about a claim and its volume: annotations, and the volume's reference.
import type { ObjectReference, PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';

export const bindCompleted = 'pv.kubernetes.io/bind-completed';
export const boundByController = 'pv.kubernetes.io/bound-by-controller';
export const storageProvisioner = 'volume.kubernetes.io/storage-provisioner';
export const betaStorageProvisioner = 'volume.beta.kubernetes.io/storage-provisioner';
export const selectedNode = 'volume.kubernetes.io/selected-node';

export const hasAnnotation = (object: PersistentVolume | PersistentVolumeClaim, name: string): boolean =>
  object.metadata.annotations?.[name] !== undefined;

/** How a volume names the claim that it is for. */
export function claimReference({ metadata }: PersistentVolumeClaim): ObjectReference {
  const { namespace, name, uid, resourceVersion } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace: namespace!,
    name: name!,
    uid: uid!,
    resourceVersion: resourceVersion!,
  };
}
