// Replica sets: the server owns status; the selector must match the template and never changes.
import type { ReplicaSet, ReplicaSetSpec } from '#api/generated/apps-v1.ts';
import { replicasets } from '#api/generated/resources.ts';
import { type FieldError, invalidValue } from '#api/meta/field-errors.ts';
import { validateImmutableField } from '#api/meta/meta-validation.ts';
import { setPodTemplateDefaults } from '../core/pod-spec/defaults.ts';
import { templateWarnings } from '../core/pod-spec/warnings.ts';
import { nonNegative } from '../numbers.ts';
import type { ResourceRules } from '../resource.ts';
import { dropStatus, keepStatus } from '../status-ownership.ts';
import { ageCell, nameCell, selectorCell } from '../table-cells.ts';
import { templateContainersCell, templateImagesCell } from './pod-template-cells.ts';
import { validateSelectorAndTemplate } from './selector-and-template.ts';

export const replicaSetRules: ResourceRules<ReplicaSet> = {
  resource: replicasets,
  setDefaults(replicaSet) {
    replicaSet.status ??= { replicas: 0 };
    if (!replicaSet.spec) return;
    replicaSet.spec.replicas ??= 1;
    setPodTemplateDefaults(replicaSet.spec.template);
  },
  prepareForCreate(replicaSet) {
    dropStatus(replicaSet);
    replicaSet.status = { replicas: 0 };
  },
  prepareForUpdate: keepStatus,
  validate({ spec = {} as ReplicaSetSpec }) {
    return [
      ...nonNegative(spec.replicas, 'spec.replicas'),
      ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
      ...validateSelectorAndTemplate(spec),
    ];
  },
  validateUpdate: (replicaSet, old) => validateImmutableField(replicaSet.spec?.selector, old.spec?.selector, 'spec.selector'),
  warnings: (replicaSet) => templateWarnings(replicaSet.spec?.template, 'spec.template'),
  status: { validateUpdate: validateStatus },
  columns: [
    nameCell,
    ({ spec }) => spec?.replicas ?? 0,
    ({ status }) => status?.replicas ?? 0,
    ({ status }) => status?.readyReplicas ?? 0,
    ageCell,
    templateContainersCell,
    templateImagesCell,
    ({ spec }) => selectorCell(spec?.selector),
  ],
};

function validateStatus({ status = { replicas: 0 } }: ReplicaSet): FieldError[] {
  const { replicas = 0, fullyLabeledReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  const errors = [
    ...nonNegative(replicas, 'status.replicas'),
    ...nonNegative(fullyLabeledReplicas, 'status.fullyLabeledReplicas'),
    ...nonNegative(readyReplicas, 'status.readyReplicas'),
    ...nonNegative(availableReplicas, 'status.availableReplicas'),
    ...nonNegative(status.terminatingReplicas, 'status.terminatingReplicas'),
    ...nonNegative(status.observedGeneration, 'status.observedGeneration'),
  ];
  const exceeds = 'cannot be greater than status.replicas';
  if (fullyLabeledReplicas > replicas) errors.push(invalidValue('status.fullyLabeledReplicas', fullyLabeledReplicas, exceeds));
  if (readyReplicas > replicas) errors.push(invalidValue('status.readyReplicas', readyReplicas, exceeds));
  if (availableReplicas > replicas) errors.push(invalidValue('status.availableReplicas', availableReplicas, exceeds));
  if (availableReplicas > readyReplicas)
    errors.push(invalidValue('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'));
  return errors;
}
