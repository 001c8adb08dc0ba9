// What a claim's spec holds when its author said nothing: for claims, claim templates and ephemeral volumes.
import type { PersistentVolumeClaimSpec } from '#api/generated/core-v1.ts';

export function setClaimSpecDefaults(spec: PersistentVolumeClaimSpec | undefined): void {
  if (!spec) return;
  spec.volumeMode ??= 'Filesystem';
  spec.resources ??= {};
}
