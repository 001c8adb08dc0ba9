// Claims against quotas: number and size, of all and of each storage class.
import type { PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import { compareQuantities } from '#api/meta/quantity.ts';
import type { QuotaEvaluator } from './evaluator.ts';
import { matchesRequirement } from './scopes.ts';

const names: ReadonlySet<string> = new Set(['count/persistentvolumeclaims', 'persistentvolumeclaims', 'requests.storage']);
const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
const ofClass = /\.storageclass\.storage\.k8s\.io\/(persistentvolumeclaims|requests\.storage)$/;

export const claimEvaluator: QuotaEvaluator<PersistentVolumeClaim> = {
  onUpdate: true,
  counts: (name) => names.has(name) || ofClass.test(name),
  usageOf(claim) {
    const storageClass = claim.metadata.annotations?.[classAnnotation] ?? claim.spec?.storageClassName ?? '';
    const size = sizeOf(claim);
    const plain = { 'count/persistentvolumeclaims': '1', persistentvolumeclaims: '1', ...(size && { 'requests.storage': size }) };
    if (storageClass === '') return plain;
    const prefix = `${storageClass}.storageclass.storage.k8s.io`;
    return { ...plain, [`${prefix}/persistentvolumeclaims`]: '1', ...(size && { [`${prefix}/requests.storage`]: size }) };
  },
  isInScope({ spec, status }, scope) {
    if (scope.scopeName !== 'VolumeAttributesClass') return false;
    const classes = [
      spec?.volumeAttributesClassName,
      status?.currentVolumeAttributesClassName,
      status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
    ];
    return matchesRequirement(scope, new Set(classes.filter((name) => name !== undefined && name !== '')) as Set<string>);
  },
};

/** A claim that shrinks after a failed growth holds what was allocated. */
function sizeOf({ spec, status }: PersistentVolumeClaim): string | undefined {
  const asked = spec?.resources?.requests?.['storage'];
  const allocated = status?.allocatedResources?.['storage'];
  return asked !== undefined && allocated !== undefined && compareQuantities(allocated, asked) > 0 ? allocated : asked;
}
