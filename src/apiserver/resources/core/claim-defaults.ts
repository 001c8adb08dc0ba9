// What a claim's spec holds when its author said nothing: for claims, claim templates and ephemeral volumes.
import type { PersistentVolumeClaimSpec } from '#api/generated/core-v1.ts';

export function setClaimSpecDefaults(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem';
  spec.resources ??= {};
}
