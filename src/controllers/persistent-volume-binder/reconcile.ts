// What a claim and a volume are to become: which volume fits a claim, which phase each is in. Pure.
import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { compareQuantities } from '#api/meta/quantity.ts';

/** The volume is this claim's: a reference without uid is a reservation by name. */
export function isReservedFor(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const ref = volume.spec.claimRef;
  return (
    ref !== undefined &&
    ref.name === claim.metadata.name &&
    ref.namespace === claim.metadata.namespace &&
    (!ref.uid || ref.uid === claim.metadata.uid)
  );
}

/** The smallest volume that fits; one that was reserved for the claim goes before all others. */
export function matchingVolume(claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[]): PersistentVolume | undefined {
  const reserved = volumes.find((volume) => isReservedFor(volume, claim) && whyUnfit(claim, volume) === undefined);
  if (reserved !== undefined) return reserved;
  let smallest: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (volume.spec.claimRef !== undefined || volume.metadata.deletionTimestamp || whyUnfit(claim, volume) !== undefined) continue;
    if (claim.spec.selector && !selectorOfLabelSelector(claim.spec.selector).matches(volume.metadata.labels)) continue;
    if (smallest === undefined || compareQuantities(capacityOf(volume), capacityOf(smallest)) < 0) smallest = volume;
  }
  return smallest;
}

/** Why a volume that the claim names cannot be bound to it. */
export function whyUnfit(claim: PersistentVolumeClaim, volume: PersistentVolume): string | undefined {
  if (compareQuantities(capacityOf(volume), claim.spec.resources?.requests?.['storage'] ?? '0') < 0) return 'requested PV is too small';
  if ((claim.spec.storageClassName ?? '') !== (volume.spec.storageClassName ?? '')) return 'storageClassName does not match';
  if ((claim.spec.volumeMode ?? 'Filesystem') !== (volume.spec.volumeMode ?? 'Filesystem')) return 'incompatible volumeMode';
  if (!(claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode))) return 'incompatible accessMode';
  return undefined;
}

/** The phase of a volume; `claim` is the one that it refers to, if that exists. */
export function volumePhase(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): 'Available' | 'Bound' | 'Released' {
  const ref = volume.spec.claimRef;
  if (!ref?.uid) return 'Available';
  return claim?.metadata.uid === ref.uid ? 'Bound' : 'Released';
}

function capacityOf(volume: PersistentVolume): string {
  return volume.spec.capacity?.['storage'] ?? '0';
}
