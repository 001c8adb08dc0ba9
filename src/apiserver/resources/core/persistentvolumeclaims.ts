// Claims: once bound they may only grow (whether their class lets them is asked by admission).
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '#api/generated/core-v1.ts';
import { persistentvolumeclaims } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, notAllowed, required } from '#api/meta/field-errors.ts';
import { isEqual, validateImmutableField } from '#api/meta/meta-validation.ts';
import { compareQuantities, tryParseQuantity } from '#api/meta/quantity.ts';
import { differenceOf } from '../difference.ts';
import type { ResourceRules } from '../resource.ts';
import { keepStatus } from '../status-ownership.ts';
import { accessModesCell, ageCell, nameCell } from '../table-cells.ts';
import { setClaimSpecDefaults } from './claim-defaults.ts';
import { validateClaimSpec } from './claim-validation.ts';

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

export const persistentVolumeClaimRules: ResourceRules<PersistentVolumeClaim> = {
  resource: persistentvolumeclaims,
  setDefaults(claim) {
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
    if (claim.spec) setClaimSpecDefaults(claim.spec);
  },
  prepareForCreate(claim) {
    claim.status = { phase: 'Pending' };
    if (claim.spec) mirrorDataSource(claim.spec);
  },
  prepareForUpdate(claim, old) {
    keepStatus(claim, old);
    if (claim.spec) mirrorDataSource(claim.spec);
  },
  validate: (claim) => (claim.spec ? validateClaimSpec(claim.spec, 'spec') : [required('spec')]),
  validateUpdate,
  status: {
    validateUpdate(claim) {
      const errors: FieldError[] = [];
      for (const [name, amount] of Object.entries(claim.status?.capacity ?? {}))
        if (!tryParseQuantity(amount) || compareQuantities(amount, '0') < 0)
          errors.push(invalidValue(`status.capacity[${name}]`, amount, 'must be greater than or equal to 0'));
      return errors;
    },
  },
  columns: [
    nameCell,
    (claim) => (claim.metadata.deletionTimestamp ? 'Terminating' : (claim.status?.phase ?? '')),
    (claim) => claim.spec?.volumeName ?? '',
    (claim) => (claim.spec?.volumeName ? (claim.status?.capacity?.['storage'] ?? '0') : ''),
    (claim) => (claim.spec?.volumeName ? accessModesCell(claim.status?.accessModes) : ''),
    (claim) => claim.metadata.annotations?.[CLASS_ANNOTATION] ?? claim.spec?.storageClassName ?? '',
    (claim) => claim.spec?.volumeAttributesClassName || '<unset>',
    ageCell,
    (claim) => claim.spec?.volumeMode ?? '<unset>',
  ],
};

/** Of the two fields for a source old clients know one, new ones the other. */
function mirrorDataSource(spec: PersistentVolumeClaimSpec): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && !dataSourceRef) {
    const isVolume = dataSource.kind === 'PersistentVolumeClaim' && !dataSource.apiGroup;
    const isSnapshot = dataSource.kind === 'VolumeSnapshot' && dataSource.apiGroup === 'snapshot.storage.k8s.io';
    if (isVolume || isSnapshot) spec.dataSourceRef = { ...dataSource };
    else delete spec.dataSource;
  } else if (dataSourceRef && !dataSource && !dataSourceRef.namespace) {
    const { apiGroup, kind, name } = dataSourceRef;
    spec.dataSource = { ...(apiGroup !== undefined && { apiGroup }), kind, name };
  }
}

function validateUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const spec = claim.spec ?? {};
  const oldSpec = old.spec ?? {};
  const errors: FieldError[] = [];
  const comparable = withoutChangeable(claim, old);
  const stored = withoutChangeable(old, old);
  if (!isEqual(comparable, stored))
    errors.push(
      notAllowed(
        'spec',
        `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${differenceOf(comparable, stored)}`,
      ),
    );
  const size = spec.resources?.requests?.['storage'];
  const oldSize = oldSpec.resources?.requests?.['storage'];
  const statusSize = old.status?.capacity?.['storage'];
  if (size !== undefined && oldSize !== undefined && compareQuantities(size, oldSize) < 0) {
    // A failed growth may be taken back, but never below what is there already.
    if (statusSize === undefined || compareQuantities(size, statusSize) <= 0)
      errors.push(notAllowed('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  return [...errors, ...validateImmutableField(spec.volumeMode, oldSpec.volumeMode, 'spec.volumeMode')];
}

/** What is left of a spec when all that may change has been taken from the old one. */
function withoutChangeable(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): PersistentVolumeClaimSpec {
  const spec: PersistentVolumeClaimSpec = { ...claim.spec };
  const oldSpec = old.spec ?? {};
  // The binder gives a claim its volume, and a default class may be given to one that has none yet.
  if (!oldSpec.volumeName) delete spec.volumeName;
  if (oldSpec.storageClassName === undefined && !old.metadata.annotations?.[CLASS_ANNOTATION]) delete spec.storageClassName;
  if (old.status?.phase === 'Bound') {
    delete spec.volumeAttributesClassName;
    spec.resources = { ...spec.resources, requests: { ...spec.resources?.requests, storage: '0' } };
  }
  return spec;
}
