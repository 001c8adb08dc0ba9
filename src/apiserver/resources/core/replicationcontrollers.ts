// Replication controllers: replica sets with a plain map as selector, which may change.
import type { ReplicationController, ReplicationControllerSpec } from '#api/generated/core-v1.ts';
import { replicationcontrollers } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { nonNegative } from '../numbers.ts';
import type { ResourceRules } from '../resource.ts';
import { keepStatus } from '../status-ownership.ts';
import { ageCell, containerImages, containerNames, labelsCell, nameCell } from '../table-cells.ts';
import { setPodTemplateDefaults } from './pod-spec/defaults.ts';
import { validatePodTemplate } from './pod-spec/template.ts';
import { templateWarnings } from './pod-spec/warnings.ts';

export const replicationControllerRules: ResourceRules<ReplicationController> = {
  resource: replicationcontrollers,
  setDefaults(controller) {
    controller.status ??= { replicas: 0 };
    const { spec, metadata } = controller;
    if (!spec) return;
    const labels = spec.template?.metadata?.labels;
    if (labels !== undefined) {
      if (isEmpty(spec.selector)) spec.selector = { ...labels };
      if (isEmpty(metadata.labels)) metadata.labels = { ...labels };
    }
    spec.replicas ??= 1;
    setPodTemplateDefaults(spec.template);
  },
  prepareForCreate(controller) {
    controller.status = { replicas: 0 };
  },
  prepareForUpdate: keepStatus,
  validate: ({ spec }) => validateSpec(spec ?? {}),
  warnings: ({ spec }) => templateWarnings(spec?.template, 'spec.template'),
  status: { validateUpdate: validateStatus },
  selectableFields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
  columns: [
    nameCell,
    ({ spec }) => spec?.replicas ?? 0,
    ({ status }) => status?.replicas ?? 0,
    ({ status }) => status?.readyReplicas ?? 0,
    ageCell,
    ({ spec }) => containerNames(spec?.template?.spec?.containers),
    ({ spec }) => containerImages(spec?.template?.spec?.containers),
    ({ spec }) => labelsCell(spec?.selector),
  ],
};

const isEmpty = (labels: Record<string, string> | undefined): boolean => Object.keys(labels ?? {}).length === 0;

function validateSpec(spec: ReplicationControllerSpec): FieldError[] {
  const { selector = {}, template } = spec;
  const errors = nonNegative(spec.minReadySeconds, 'spec.minReadySeconds');
  if (isEmpty(selector)) errors.push(required('spec.selector'));
  errors.push(...nonNegative(spec.replicas, 'spec.replicas'));
  if (!template) return [...errors, required('spec.template')];
  const labels = template.metadata?.labels ?? {};
  if (!isEmpty(selector) && !Object.entries(selector).every(([key, value]) => labels[key] === value))
    errors.push(invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  errors.push(...validatePodTemplate(template, 'spec.template'));
  const { restartPolicy = '', activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== 'Always') errors.push(notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  if (activeDeadlineSeconds !== undefined)
    errors.push(notAllowed('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in ReplicationController is not Supported'));
  return errors;
}

function validateStatus({ status = { replicas: 0 } }: ReplicationController): FieldError[] {
  const { replicas = 0, fullyLabeledReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  const counts = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'] as const;
  const errors = counts.flatMap((field) => nonNegative(status[field], `status.${field}`));
  const exceeds = 'cannot be greater than status.replicas';
  if (fullyLabeledReplicas > replicas) errors.push(invalidValue('status.fullyLabeledReplicas', fullyLabeledReplicas, exceeds));
  if (readyReplicas > replicas) errors.push(invalidValue('status.readyReplicas', readyReplicas, exceeds));
  if (availableReplicas > replicas) errors.push(invalidValue('status.availableReplicas', availableReplicas, exceeds));
  if (availableReplicas > readyReplicas)
    errors.push(invalidValue('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'));
  return errors;
}
