// StorageObjectInUseProtection: claims and volumes wait for a controller to say that nobody uses them before they go.
import { persistentvolumeclaims, persistentvolumes } from '#api/generated/resources.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { isFor } from './plugin.ts';

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  operations: ['CREATE'],
  mutate(request) {
    if (isFor(request, persistentvolumeclaims)) hold(request.object!.metadata, 'kubernetes.io/pvc-protection');
    if (isFor(request, persistentvolumes)) hold(request.object!.metadata, 'kubernetes.io/pv-protection');
  },
};

function hold(metadata: { finalizers?: string[] }, finalizer: string): void {
  if (!metadata.finalizers?.includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
}
