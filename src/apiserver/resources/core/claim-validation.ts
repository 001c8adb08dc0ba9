// Which claims' specs are well-formed: for claims, claim templates and ephemeral volumes.
import type { PersistentVolumeClaimSpec } from '#api/generated/core-v1.ts';
import { type FieldError, child, index, invalidValue, key, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { isDns1123Subdomain } from '#api/meta/names.ts';
import { compareQuantities, tryParseQuantity } from '#api/meta/quantity.ts';
import { validateLabelSelector } from '../label-selector-validation.ts';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const VOLUME_MODES = ['Block', 'Filesystem'];

export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const at = (field: string) => child(path, field);
  const { accessModes = [], storageClassName, volumeMode, dataSource } = spec;
  const errors = validateAccessModes(accessModes, at('accessModes'));
  errors.push(...validateLabelSelector(spec.selector, at('selector')));
  const storage = spec.resources?.requests?.['storage'];
  const size = storage === undefined ? undefined : tryParseQuantity(storage);
  if (size === undefined) errors.push(required(key(at('resources'), 'storage')));
  else if (compareQuantities(size, '0') <= 0)
    errors.push(invalidValue(key(child(at('resources'), 'requests'), 'storage'), storage, 'must be greater than zero'));
  if (storageClassName)
    errors.push(...isDns1123Subdomain(storageClassName).map((message) => invalidValue(at('storageClassName'), storageClassName, message)));
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)) errors.push(notSupported(at('volumeMode'), volumeMode, VOLUME_MODES));
  if (dataSource) {
    const source = at('dataSource');
    if (!dataSource.name) errors.push(required(child(source, 'name')));
    if (!dataSource.kind) errors.push(required(child(source, 'kind')));
    if (!dataSource.apiGroup && dataSource.kind !== 'PersistentVolumeClaim')
      errors.push(invalidValue(source, dataSource.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  return errors;
}

export function validateAccessModes(accessModes: readonly string[], path: string): FieldError[] {
  if (accessModes.length === 0) return [required(path, 'at least 1 access mode is required')];
  const errors = accessModes.flatMap((mode, position) =>
    ACCESS_MODES.includes(mode) ? [] : [notSupported(index(path, position), mode, ACCESS_MODES)],
  );
  // A volume for one pod cannot be one for many.
  if (accessModes.includes('ReadWriteOncePod') && accessModes.length > 1)
    errors.push(notAllowed(path, 'may not use ReadWriteOncePod with other access modes'));
  return errors;
}
