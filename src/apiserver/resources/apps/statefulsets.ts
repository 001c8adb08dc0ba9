// Stateful sets: the server owns status; only size, template, strategies and a few counts may change.
import type { StatefulSet, StatefulSetSpec } from '#api/generated/apps-v1.ts';
import { statefulsets } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { isEqual } from '#api/meta/meta-validation.ts';
import { isDns1123Label } from '#api/meta/names.ts';
import { setClaimSpecDefaults } from '../core/claim-defaults.ts';
import { setPodTemplateDefaults } from '../core/pod-spec/defaults.ts';
import { validatePodTemplate } from '../core/pod-spec/template.ts';
import { templateWarnings } from '../core/pod-spec/warnings.ts';
import { validateLabelSelector } from '../label-selector-validation.ts';
import { nonNegative } from '../numbers.ts';
import type { ResourceRules } from '../resource.ts';
import { keepStatus } from '../status-ownership.ts';
import { ageCell, nameCell } from '../table-cells.ts';
import { validateAmount, validateAtMostAll } from './amounts-of-pods.ts';
import { templateContainersCell, templateImagesCell } from './pod-template-cells.ts';

const noStatus = { replicas: 0, availableReplicas: 0 };
const CHANGEABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const satisfies readonly (keyof StatefulSetSpec)[];

export const statefulSetRules: ResourceRules<StatefulSet> = {
  resource: statefulsets,
  setDefaults,
  prepareForCreate(statefulSet) {
    statefulSet.status = { ...noStatus };
    dropMaxUnavailable(statefulSet);
  },
  prepareForUpdate(statefulSet, old) {
    keepStatus(statefulSet, old);
    if (old.spec?.updateStrategy?.rollingUpdate?.maxUnavailable === undefined) dropMaxUnavailable(statefulSet);
  },
  validate: ({ spec }) => validateSpec(spec ?? ({} as StatefulSetSpec)),
  validateUpdate,
  warnings: ({ spec }) => [
    ...templateWarnings(spec?.template, 'spec.template'),
    ...((spec?.revisionHistoryLimit ?? 0) < 0
      ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
      : []),
  ],
  status: { validateUpdate: validateStatus },
  columns: [
    nameCell,
    ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    ageCell,
    templateContainersCell,
    templateImagesCell,
  ],
};

function setDefaults(statefulSet: StatefulSet): void {
  statefulSet.status ??= { ...noStatus };
  statefulSet.status.availableReplicas ??= 0;
  const { spec } = statefulSet;
  if (!spec) return;
  spec.podManagementPolicy ||= 'OrderedReady';
  spec.updateStrategy ??= {};
  if (!spec.updateStrategy.type) {
    spec.updateStrategy.type = 'RollingUpdate';
    spec.updateStrategy.rollingUpdate ??= {};
  }
  if (spec.updateStrategy.type === 'RollingUpdate' && spec.updateStrategy.rollingUpdate) spec.updateStrategy.rollingUpdate.partition ??= 0;
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  setPodTemplateDefaults(spec.template);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion ??= 'v1';
    claim.kind ??= 'PersistentVolumeClaim';
    claim.metadata ??= {};
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
    setClaimSpecDefaults(claim.spec);
  }
}

/** Its feature gate, MaxUnavailableStatefulSet, is off. */
function dropMaxUnavailable({ spec }: StatefulSet): void {
  if (spec?.updateStrategy?.rollingUpdate) delete spec.updateStrategy.rollingUpdate.maxUnavailable;
}

function validateSpec(spec: StatefulSetSpec): FieldError[] {
  const { selector, template, podManagementPolicy, ordinals } = spec;
  const errors: FieldError[] = [];
  if (!podManagementPolicy) errors.push(required('spec.podManagementPolicy'));
  else if (podManagementPolicy !== 'OrderedReady' && podManagementPolicy !== 'Parallel')
    errors.push(invalidValue('spec.podManagementPolicy', podManagementPolicy, "must be 'OrderedReady' or 'Parallel'"));
  errors.push(
    ...validateStrategy(spec),
    ...validateRetention(spec),
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(ordinals?.start, 'spec.ordinals.start'),
    ...(spec.serviceName ? isDns1123Label(spec.serviceName).map((text) => invalidValue('spec.serviceName', spec.serviceName, text)) : []),
  );
  const wrongSelector = selector ? validateLabelSelector(selector, 'spec.selector') : [required('spec.selector')];
  const isEmpty = !Object.keys(selector?.matchLabels ?? {}).length && !selector?.matchExpressions?.length;
  errors.push(...wrongSelector);
  if (selector && isEmpty) errors.push(invalidValue('spec.selector', selector, 'empty selector is invalid for statefulset'));
  if (!template) return [...errors, required('spec.template')];
  const labels = template.metadata?.labels ?? {};
  if (wrongSelector.length === 0 && !isEmpty && !selectorOfLabelSelector(selector).matches(labels))
    errors.push(invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  errors.push(...validatePodTemplate(template, 'spec.template'));
  const { restartPolicy = '', activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== 'Always') errors.push(notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  if (activeDeadlineSeconds !== undefined)
    errors.push(notAllowed('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in StatefulSet is not Supported'));
  return errors;
}

function validateStrategy({ updateStrategy }: StatefulSetSpec): FieldError[] {
  const path = 'spec.updateStrategy';
  const rolling = updateStrategy?.rollingUpdate;
  switch (updateStrategy?.type) {
    case undefined:
    case '':
      return [required(path)];
    case 'OnDelete':
      return rolling ? [invalidValue(`${path}.rollingUpdate`, rolling, "only allowed for updateStrategy 'RollingUpdate'")] : [];
    case 'RollingUpdate': {
      const { partition, maxUnavailable } = rolling ?? {};
      const errors = nonNegative(partition, `${path}.rollingUpdate.partition`);
      if (maxUnavailable === undefined) return errors;
      const at = `${path}.rollingUpdate.maxUnavailable`;
      return [...errors, ...validateAmount(maxUnavailable, at), ...validateAtMostAll(maxUnavailable, at)];
    }
    default:
      return [invalidValue(path, updateStrategy, "must be 'RollingUpdate' or 'OnDelete'")];
  }
}

function validateRetention({ persistentVolumeClaimRetentionPolicy: policy }: StatefulSetSpec): FieldError[] {
  const path = 'spec.persistentVolumeClaimRetentionPolicy';
  return (['whenDeleted', 'whenScaled'] as const).flatMap((field) =>
    policy === undefined || policy[field] === 'Retain' || policy[field] === 'Delete'
      ? []
      : [notSupported(`${path}.${field}`, policy[field] ?? '', ['Retain', 'Delete'])],
  );
}

function validateUpdate(statefulSet: StatefulSet, old: StatefulSet): FieldError[] {
  const comparable: Record<string, unknown> = { ...statefulSet.spec };
  for (const field of CHANGEABLE) {
    if (old.spec?.[field] === undefined) delete comparable[field];
    else comparable[field] = old.spec[field];
  }
  if (isEqual(comparable, old.spec)) return [];
  const names = `'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'`;
  return [notAllowed('spec', `updates to statefulset spec for fields other than ${names} are forbidden`)];
}

function validateStatus({ status = { replicas: 0 } }: StatefulSet, old: StatefulSet): FieldError[] {
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0, collisionCount } = status;
  const counts = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const;
  const errors = [
    ...nonNegative(replicas, 'status.replicas'),
    ...counts.flatMap((field) => nonNegative(status[field], `status.${field}`)),
    ...nonNegative(status.observedGeneration, 'status.observedGeneration'),
    ...nonNegative(collisionCount, 'status.collisionCount'),
    ...counts.flatMap((field) =>
      (status[field] ?? 0) > replicas ? [invalidValue(`status.${field}`, status[field], 'cannot be greater than status.replicas')] : [],
    ),
  ];
  if (availableReplicas > readyReplicas)
    errors.push(invalidValue('status.availableReplicas', availableReplicas, 'cannot be greater than status.readyReplicas'));
  const before = old.status?.collisionCount;
  if (before !== undefined && (collisionCount ?? -1) < before)
    errors.push(invalidValue('status.collisionCount', collisionCount, 'cannot be decremented'));
  return errors;
}
