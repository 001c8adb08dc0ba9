// Storage classes: where volumes come from. What decided about existing volumes never changes.
import { isDeepStrictEqual } from 'node:util';
import type { StorageClass } from '#api/generated/storage-v1.ts';
import { storageclasses } from '#api/generated/resources.ts';
import {
  type FieldError,
  child,
  duplicate,
  index,
  invalidValue,
  notAllowed,
  notSupported,
  required,
  tooLong,
} from '#api/meta/field-errors.ts';
import { validateImmutableField } from '#api/meta/meta-validation.ts';
import { isQualifiedName, isValidLabelValue } from '#api/meta/names.ts';
import type { ResourceRules } from '../resource.ts';
import { ageCell, nameCell } from '../table-cells.ts';

const RECLAIM_POLICIES = ['Delete', 'Retain'];
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer'];
const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_BYTES = 256 * 1024;

export const storageClassRules: ResourceRules<StorageClass> = {
  resource: storageclasses,
  setDefaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete';
    storageClass.volumeBindingMode ??= 'Immediate';
  },
  validate(storageClass) {
    const { provisioner = '', reclaimPolicy = '', volumeBindingMode = '' } = storageClass;
    return [
      ...(provisioner === ''
        ? [required('provisioner')]
        : isQualifiedName(provisioner.toLowerCase()).map((message) => invalidValue('provisioner', provisioner, message))),
      ...validateParameters(storageClass.parameters ?? {}),
      ...(RECLAIM_POLICIES.includes(reclaimPolicy) ? [] : [notSupported('reclaimPolicy', reclaimPolicy, RECLAIM_POLICIES)]),
      ...(BINDING_MODES.includes(volumeBindingMode) ? [] : [notSupported('volumeBindingMode', volumeBindingMode, BINDING_MODES)]),
      ...validateTopologies(storageClass),
    ];
  },
  validateUpdate(storageClass, old) {
    const errors: FieldError[] = [];
    if (!isDeepStrictEqual(storageClass.parameters ?? {}, old.parameters ?? {}))
      errors.push(notAllowed('parameters', 'updates to parameters are forbidden.'));
    if (storageClass.provisioner !== old.provisioner) errors.push(notAllowed('provisioner', 'updates to provisioner are forbidden.'));
    if (storageClass.reclaimPolicy !== old.reclaimPolicy)
      errors.push(notAllowed('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'));
    errors.push(...validateImmutableField(storageClass.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode'));
    return errors;
  },
  columns: [
    (storageClass) => `${nameCell(storageClass)}${isDefaultClass(storageClass) ? ' (default)' : ''}`,
    (storageClass) => storageClass.provisioner,
    (storageClass) => storageClass.reclaimPolicy ?? 'Delete',
    (storageClass) => storageClass.volumeBindingMode ?? 'Immediate',
    (storageClass) => storageClass.allowVolumeExpansion ?? false,
    ageCell,
  ],
};

function isDefaultClass({ metadata }: StorageClass): boolean {
  return ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'].some(
    (annotation) => metadata.annotations?.[annotation] === 'true',
  );
}

function validateParameters(parameters: Record<string, string>): FieldError[] {
  const entries = Object.entries(parameters);
  if (entries.length > MAX_PARAMETERS) return [tooLong('parameters', MAX_PARAMETERS)];
  const errors = entries.filter(([name]) => name === '').map(() => invalidValue('parameters', '', 'field can not be empty.'));
  const size = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  return size > MAX_PARAMETERS_BYTES ? [...errors, tooLong('parameters', MAX_PARAMETERS_BYTES)] : errors;
}

function validateTopologies({ allowedTopologies = [] }: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  for (const [position, term] of allowedTopologies.entries()) {
    const seen = new Set<string>();
    for (const [at, { key = '', values = [] }] of (term.matchLabelExpressions ?? []).entries()) {
      const path = index(child(index('allowedTopologies', position), 'matchLabelExpressions'), at);
      errors.push(...isQualifiedName(key).map((message) => invalidValue(child(path, 'key'), key, message)));
      if (values.length === 0) errors.push(required(child(path, 'values')));
      for (const [place, value] of values.entries())
        errors.push(...isValidLabelValue(value).map((message) => invalidValue(index(child(path, 'values'), place), value, message)));
      if (seen.has(key)) errors.push(duplicate(child(path, 'key'), key));
      seen.add(key);
    }
  }
  return errors;
}
