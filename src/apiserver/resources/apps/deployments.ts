// Deployments: the server owns status; the selector must match the template and never changes.
import type { Deployment, DeploymentSpec } from '#api/generated/apps-v1.ts';
import { deployments } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { validateImmutableField } from '#api/meta/meta-validation.ts';
import { setPodTemplateDefaults } from '../core/pod-spec/defaults.ts';
import { templateWarnings } from '../core/pod-spec/warnings.ts';
import { nonNegative } from '../numbers.ts';
import type { ResourceRules } from '../resource.ts';
import { dropStatus, keepStatus } from '../status-ownership.ts';
import { ageCell, nameCell, selectorText } from '../table-cells.ts';
import { isNothing, validateAmount, validateAtMostAll } from './amounts-of-pods.ts';
import { templateContainersCell, templateImagesCell } from './pod-template-cells.ts';
import { validateSelectorAndTemplate } from './selector-and-template.ts';

export const deploymentRules: ResourceRules<Deployment> = {
  resource: deployments,
  setDefaults,
  prepareForCreate: dropStatus,
  prepareForUpdate: keepStatus,
  validate: ({ spec }) => validateSpec(spec ?? ({} as DeploymentSpec)),
  validateUpdate: (deployment, old) => validateImmutableField(deployment.spec?.selector, old.spec?.selector, 'spec.selector'),
  warnings: (deployment) => templateWarnings(deployment.spec?.template, 'spec.template'),
  status: {
    validateUpdate(deployment, old) {
      const errors = validateStatus(deployment);
      const { collisionCount } = deployment.status ?? {};
      const before = old.status?.collisionCount;
      if (before !== undefined && (collisionCount ?? -1) < before)
        errors.push(invalidValue('status.collisionCount', collisionCount, 'cannot be decremented'));
      return errors;
    },
  },
  columns: [
    nameCell,
    ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    ({ status }) => status?.updatedReplicas ?? 0,
    ({ status }) => status?.availableReplicas ?? 0,
    ageCell,
    templateContainersCell,
    templateImagesCell,
    ({ spec }) => selectorText(spec?.selector).replace('<error>', '<invalid>'),
  ],
};

function setDefaults(deployment: Deployment): void {
  deployment.status ??= {};
  const { spec } = deployment;
  if (!spec) return;
  spec.replicas ??= 1;
  spec.strategy ??= {};
  spec.strategy.type ||= 'RollingUpdate';
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
    spec.strategy.rollingUpdate.maxSurge ??= '25%';
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  setPodTemplateDefaults(spec.template);
}

function validateSpec(spec: DeploymentSpec): FieldError[] {
  const errors = nonNegative(spec.replicas, 'spec.replicas');
  errors.push(
    ...validateSelectorAndTemplate(spec),
    ...validateStrategy(spec),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  );
  if (spec.progressDeadlineSeconds !== undefined) {
    errors.push(...nonNegative(spec.progressDeadlineSeconds, 'spec.progressDeadlineSeconds'));
    if (spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0))
      errors.push(invalidValue('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds, 'must be greater than minReadySeconds'));
  }
  return errors;
}

function validateStrategy({ strategy }: DeploymentSpec): FieldError[] {
  const path = 'spec.strategy';
  const rolling = strategy?.rollingUpdate;
  switch (strategy?.type) {
    case 'Recreate':
      return rolling ? [notAllowed(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")] : [];
    case 'RollingUpdate': {
      if (!rolling) return [required(`${path}.rollingUpdate`, 'this should be defaulted and never be nil')];
      const { maxUnavailable = 0, maxSurge = 0 } = rolling;
      const errors = [
        ...validateAmount(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`),
        ...validateAmount(maxSurge, `${path}.rollingUpdate.maxSurge`),
      ];
      if (isNothing(maxUnavailable) && isNothing(maxSurge))
        errors.push(invalidValue(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
      return [...errors, ...validateAtMostAll(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`)];
    }
    default:
      return [notSupported(`${path}.type`, strategy?.type ?? '', ['Recreate', 'RollingUpdate'])];
  }
}

function validateStatus({ status = {} }: Deployment): FieldError[] {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  const errors = [
    ...nonNegative(status.observedGeneration, 'status.observedGeneration'),
    ...nonNegative(replicas, 'status.replicas'),
    ...nonNegative(updatedReplicas, 'status.updatedReplicas'),
    ...nonNegative(readyReplicas, 'status.readyReplicas'),
    ...nonNegative(availableReplicas, 'status.availableReplicas'),
    ...nonNegative(status.unavailableReplicas, 'status.unavailableReplicas'),
    ...nonNegative(status.terminatingReplicas, 'status.terminatingReplicas'),
    ...nonNegative(status.collisionCount, 'status.collisionCount'),
  ];
  const exceeds = 'cannot be greater than status.replicas';
  if (updatedReplicas > replicas) errors.push(invalidValue('status.updatedReplicas', updatedReplicas, exceeds));
  if (readyReplicas > replicas) errors.push(invalidValue('status.readyReplicas', readyReplicas, exceeds));
  if (availableReplicas > replicas) errors.push(invalidValue('status.availableReplicas', availableReplicas, exceeds));
  if (availableReplicas > readyReplicas)
    errors.push(invalidValue('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'));
  return errors;
}
