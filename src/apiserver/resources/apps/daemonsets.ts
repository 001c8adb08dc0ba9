// Daemon sets: the server owns status and counts the generations of the template; the selector never changes.
import type { DaemonSet, DaemonSetSpec, RollingUpdateDaemonSet } from '#api/generated/apps-v1.ts';
import { daemonsets } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { isEqual, validateImmutableField } from '#api/meta/meta-validation.ts';
import { setPodTemplateDefaults } from '../core/pod-spec/defaults.ts';
import { validatePodTemplate } from '../core/pod-spec/template.ts';
import { templateWarnings } from '../core/pod-spec/warnings.ts';
import { validateLabelSelector } from '../label-selector-validation.ts';
import { nonNegative } from '../numbers.ts';
import type { ResourceRules } from '../resource.ts';
import { keepStatus } from '../status-ownership.ts';
import { ageCell, labelsCell, nameCell, selectorCell } from '../table-cells.ts';
import { isNothing, validateAmount, validateAtMostAll } from './amounts-of-pods.ts';
import { templateContainersCell, templateImagesCell } from './pod-template-cells.ts';

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';
const noStatus = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };

export const daemonSetRules: ResourceRules<DaemonSet> = {
  resource: daemonsets,
  setDefaults,
  prepareForCreate(daemonSet) {
    daemonSet.status = { ...noStatus };
    setTemplateGeneration(daemonSet, 1);
  },
  prepareForUpdate(daemonSet, old) {
    keepStatus(daemonSet, old);
    const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
    setTemplateGeneration(daemonSet, isEqual(daemonSet.spec?.template, old.spec?.template) ? before : before + 1);
  },
  validate: ({ spec }) => validateSpec(spec ?? ({} as DaemonSetSpec)),
  validateUpdate: (daemonSet, old) => validateImmutableField(daemonSet.spec?.selector, old.spec?.selector, 'spec.selector'),
  warnings: (daemonSet) => templateWarnings(daemonSet.spec?.template, 'spec.template'),
  status: { validateUpdate: validateStatus },
  columns: [
    nameCell,
    ({ status }) => status?.desiredNumberScheduled ?? 0,
    ({ status }) => status?.currentNumberScheduled ?? 0,
    ({ status }) => status?.numberReady ?? 0,
    ({ status }) => status?.updatedNumberScheduled ?? 0,
    ({ status }) => status?.numberAvailable ?? 0,
    ({ spec }) => labelsCell(spec?.template?.spec?.nodeSelector),
    ageCell,
    templateContainersCell,
    templateImagesCell,
    ({ spec }) => selectorCell(spec?.selector),
  ],
};

function setDefaults(daemonSet: DaemonSet): void {
  daemonSet.status ??= { ...noStatus };
  const { spec } = daemonSet;
  if (!spec) return;
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  setPodTemplateDefaults(spec.template);
}

function setTemplateGeneration(daemonSet: DaemonSet, generation: number): void {
  daemonSet.metadata.annotations = { ...daemonSet.metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}

function validateSpec(spec: DaemonSetSpec): FieldError[] {
  const { selector, template } = spec;
  const errors = validateLabelSelector(selector, 'spec.selector');
  const labels = template?.metadata?.labels ?? {};
  // A missing selector selects nothing.
  if (errors.length === 0 && !selectorOfLabelSelector(selector).matches(labels))
    errors.push(invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  if (selector && !Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length)
    errors.push(invalidValue('spec.selector', selector, 'empty selector is invalid for daemonset'));
  if (!template) return [...errors, required('spec.template')];
  errors.push(...validatePodTemplate(template, 'spec.template'));
  const { restartPolicy = '', activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== 'Always') errors.push(notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  if (activeDeadlineSeconds !== undefined)
    errors.push(notAllowed('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in DaemonSet is not Supported'));
  return [
    ...errors,
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateStrategy(spec),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ];
}

function validateStrategy({ updateStrategy }: DaemonSetSpec): FieldError[] {
  const path = 'spec.updateStrategy';
  switch (updateStrategy?.type) {
    case 'OnDelete':
      return [];
    case 'RollingUpdate':
      return updateStrategy.rollingUpdate
        ? validateRollingUpdate(updateStrategy.rollingUpdate, `${path}.rollingUpdate`)
        : [required(`${path}.rollingUpdate`)];
    default:
      return [notSupported(path, updateStrategy, ['RollingUpdate', 'OnDelete'])];
  }
}

/** Either pods are replaced in place or by a surge, never both at once. */
function validateRollingUpdate({ maxUnavailable = 0, maxSurge = 0 }: RollingUpdateDaemonSet, path: string): FieldError[] {
  const errors = [
    ...validateAmount(maxUnavailable, `${path}.maxUnavailable`),
    ...validateAmount(maxSurge, `${path}.maxSurge`),
    ...validateAtMostAll(maxUnavailable, `${path}.maxUnavailable`),
    ...validateAtMostAll(maxSurge, `${path}.maxSurge`),
  ];
  if (!isNothing(maxUnavailable) && !isNothing(maxSurge))
    errors.push(invalidValue(`${path}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  if (isNothing(maxUnavailable) && isNothing(maxSurge)) errors.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  return errors;
}

function validateStatus({ status = { ...noStatus } }: DaemonSet, old: DaemonSet): FieldError[] {
  const errors = [
    ...nonNegative(status.currentNumberScheduled, 'status.currentNumberScheduled'),
    ...nonNegative(status.numberMisscheduled, 'status.numberMisscheduled'),
    ...nonNegative(status.desiredNumberScheduled, 'status.desiredNumberScheduled'),
    ...nonNegative(status.numberReady, 'status.numberReady'),
    ...nonNegative(status.observedGeneration, 'status.observedGeneration'),
    ...nonNegative(status.updatedNumberScheduled, 'status.updatedNumberScheduled'),
    ...nonNegative(status.numberAvailable, 'status.numberAvailable'),
    ...nonNegative(status.numberUnavailable, 'status.numberUnavailable'),
    ...nonNegative(status.collisionCount, 'status.collisionCount'),
  ];
  const before = old.status?.collisionCount;
  if (before !== undefined && (status.collisionCount ?? -1) < before)
    errors.push(invalidValue('status.collisionCount', status.collisionCount, 'cannot be decremented'));
  return errors;
}
