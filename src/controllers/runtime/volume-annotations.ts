// The annotations by which the binder, provisioners and the scheduler agree about a claim and its volume.
import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';

export const bindCompleted = 'pv.kubernetes.io/bind-completed';
export const boundByController = 'pv.kubernetes.io/bound-by-controller';
export const storageProvisioner = 'volume.kubernetes.io/storage-provisioner';
export const betaStorageProvisioner = 'volume.beta.kubernetes.io/storage-provisioner';
export const selectedNode = 'volume.kubernetes.io/selected-node';

export const hasAnnotation = (object: PersistentVolume | PersistentVolumeClaim, name: string): boolean =>
  object.metadata.annotations?.[name] !== undefined;
