// Persistent volumes: one source, a size, and a source that never changes.
import { toTime } from '#lib/clock.ts';
import type { PersistentVolume, PersistentVolumeSpec } from '#api/generated/core-v1.ts';
import { persistentvolumes } from '#api/generated/resources.ts';
import { type FieldError, child, invalidValue, key, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { isEqual, validateImmutableField } from '#api/meta/meta-validation.ts';
import { isDns1123Subdomain } from '#api/meta/names.ts';
import { compareQuantities, tryParseQuantity } from '#api/meta/quantity.ts';
import type { ResourceRules } from '../resource.ts';
import { accessModesCell, ageCell, nameCell } from '../table-cells.ts';
import { validateAccessModes, VOLUME_MODES } from './claim-validation.ts';
import { validateNodeSelector } from './pod-spec/affinity.ts';
import { noBackstepErrors } from './pod-spec/paths.ts';
import { missingFields, validateNfs } from './pod-spec/volumes.ts';
import { keepStatus } from '../status-ownership.ts';

const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

const SOURCES: Readonly<Record<string, readonly string[]>> = {
  hostPath: ['path'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  glusterfs: ['endpoints', 'path'],
  flocker: [],
  nfs: [],
  rbd: ['monitors', 'image'],
  quobyte: ['registry', 'volume'],
  cephfs: ['monitors'],
  iscsi: ['targetPortal', 'iqn'],
  cinder: ['volumeID'],
  fc: [],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  local: ['path'],
  storageos: ['volumeName'],
  csi: ['driver', 'volumeHandle'],
};

export const persistentVolumeRules: ResourceRules<PersistentVolume> = {
  resource: persistentvolumes,
  setDefaults(volume) {
    volume.status ??= {};
    volume.status.phase ||= 'Pending';
    if (!volume.spec) return;
    volume.spec.persistentVolumeReclaimPolicy ||= 'Retain';
    volume.spec.volumeMode ??= 'Filesystem';
    if (volume.spec.hostPath) volume.spec.hostPath.type ??= '';
  },
  prepareForCreate(volume, { now }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: toTime(now) };
  },
  prepareForUpdate: keepStatus,
  validate: (volume) => (volume.spec ? validateSpec(volume.spec) : [required('spec')]),
  validateUpdate(volume, old) {
    const errors: FieldError[] = [];
    const sourceOf = (spec: PersistentVolumeSpec | undefined) =>
      Object.fromEntries(Object.entries(spec ?? {}).filter(([field]) => field in SOURCES && field !== 'flocker'));
    if (!isEqual(sourceOf(volume.spec), sourceOf(old.spec)))
      errors.push(notAllowed('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'));
    errors.push(...validateImmutableField(volume.spec?.volumeMode, old.spec?.volumeMode, 'spec.volumeMode'));
    // A volume may be given the nodes it is reachable from later, but they never change.
    if (old.spec?.nodeAffinity)
      errors.push(...validateImmutableField(volume.spec?.nodeAffinity, old.spec.nodeAffinity, 'spec.nodeAffinity'));
    return errors;
  },
  status: {
    prepareForUpdate(volume, old, { now }) {
      if (volume.status && volume.status.phase !== old.status?.phase) volume.status.lastPhaseTransitionTime = toTime(now);
    },
  },
  columns: [
    nameCell,
    (volume) => volume.spec?.capacity?.['storage'] ?? '0',
    (volume) => accessModesCell(volume.spec?.accessModes),
    (volume) => volume.spec?.persistentVolumeReclaimPolicy ?? '',
    (volume) => (volume.metadata.deletionTimestamp ? 'Terminating' : (volume.status?.phase ?? '')),
    ({ spec }) => (spec?.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : ''),
    (volume) => volume.metadata.annotations?.[CLASS_ANNOTATION] ?? volume.spec?.storageClassName ?? '',
    (volume) => volume.spec?.volumeAttributesClassName || '<unset>',
    (volume) => volume.status?.reason ?? '',
    ageCell,
    (volume) => volume.spec?.volumeMode ?? '<unset>',
  ],
};

function validateSpec(spec: PersistentVolumeSpec): FieldError[] {
  const errors = validateAccessModes(spec.accessModes ?? [], 'spec.accessModes');
  errors.push(...validateCapacity(spec));
  const { persistentVolumeReclaimPolicy: policy = '' } = spec;
  if (!RECLAIM_POLICIES.includes(policy)) errors.push(notSupported('spec.persistentVolumeReclaimPolicy', policy, RECLAIM_POLICIES));
  if (spec.nodeAffinity) {
    if (!spec.nodeAffinity.required) errors.push(required('spec.nodeAffinity.required', 'must specify required node constraints'));
    else errors.push(...validateNodeSelector(spec.nodeAffinity.required, 'spec.nodeAffinity.required'));
  }
  errors.push(...validateSource(spec));
  if (policy === 'Recycle' && spec.hostPath?.path?.replace(/\/+$/, '') === '')
    errors.push(notAllowed('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  const { storageClassName, volumeMode } = spec;
  if (storageClassName)
    errors.push(...isDns1123Subdomain(storageClassName).map((message) => invalidValue('spec.storageClassName', storageClassName, message)));
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode))
    errors.push(notSupported('spec.volumeMode', volumeMode, VOLUME_MODES));
  return errors;
}

function validateCapacity({ capacity = {} }: PersistentVolumeSpec): FieldError[] {
  const names = Object.keys(capacity);
  if (names.length === 0) return [required('spec.capacity')];
  if (!('storage' in capacity) || names.length > 1) return [notSupported('spec.capacity', capacity, ['storage'])];
  const amount = capacity['storage']!;
  const path = key('spec.capacity', 'storage');
  const size = tryParseQuantity(amount);
  if (!size || compareQuantities(size, '0') <= 0) return [invalidValue(path, amount, 'must be greater than zero')];
  return [];
}

function validateSource(spec: PersistentVolumeSpec): FieldError[] {
  const given = Object.keys(SOURCES).filter((source) => spec[source as keyof PersistentVolumeSpec] !== undefined);
  if (given.length === 0) return [required('spec', 'must specify a volume type')];
  const [first, ...others] = given as [string, ...string[]];
  const path = child('spec', first);
  const errors = missingFields(spec[first as keyof PersistentVolumeSpec] as object, SOURCES[first]!, path);
  if (first === 'nfs') errors.push(...validateNfs(spec.nfs!, path));
  if (first === 'hostPath') errors.push(...noBackstepErrors(spec.hostPath!.path ?? '', child(path, 'path')));
  if (first === 'local') {
    errors.push(...noBackstepErrors(spec.local!.path ?? '', child(path, 'path')));
    if (!spec.nodeAffinity) errors.push(required('metadata.annotations', 'Local volume requires node affinity'));
  }
  return [...errors, ...others.map((source) => notAllowed(child('spec', source), 'may not specify more than 1 volume type'))];
}
