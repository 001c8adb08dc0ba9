// DefaultStorageClass: a claim that names no class gets the default one; of several the newest.
import type { PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import { persistentvolumeclaims, storageclasses } from '#api/generated/resources.ts';
import type { StorageClass } from '#api/generated/storage-v1.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { isFor } from './plugin.ts';

const defaultAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];
const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  operations: ['CREATE'],
  mutate(request, { view }) {
    if (!isFor(request, persistentvolumeclaims)) return;
    const claim = request.object as PersistentVolumeClaim;
    // An empty name is a name: the claim wants a volume without a class.
    if (claim.spec?.storageClassName !== undefined || claim.metadata.annotations?.[classAnnotation] !== undefined) return;
    const [newest] = view.cachedList(storageclasses).filter(isDefault).sort(byAgeThenName);
    if (newest !== undefined) claim.spec!.storageClassName = newest.metadata.name!;
  },
};

function isDefault({ metadata }: StorageClass): boolean {
  return defaultAnnotations.some((annotation) => metadata.annotations?.[annotation] === 'true');
}

function byAgeThenName(a: StorageClass, b: StorageClass): number {
  const [bornA, bornB] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (bornA !== bornB) return bornA < bornB ? 1 : -1;
  return a.metadata.name! < b.metadata.name! ? -1 : 1;
}
