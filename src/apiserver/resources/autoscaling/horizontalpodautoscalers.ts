// Autoscalers: kept as autoscaling/v2; how many pods there may be, by which metrics, and how fast that may change.
import type { CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec } from '#api/generated/autoscaling-v2.ts';
import { horizontalpodautoscalers } from '#api/generated/resources.ts';
import { type FieldError, child, invalidValue, required } from '#api/meta/field-errors.ts';
import { pathSegmentName } from '#api/meta/names.ts';
import { nonNegative } from '../numbers.ts';
import type { OtherVersion, ResourceRules } from '../resource.ts';
import { dropStatus, keepStatus } from '../status-ownership.ts';
import { ageCell, nameCell } from '../table-cells.ts';
import { autoscalersV1 } from './autoscalers-v1.ts';
import { setBehaviorDefaults, validateBehavior } from './behavior.ts';
import { validateMetrics } from './metric-validation.ts';
import { targetsCell } from './targets-cell.ts';

const defaultMetric = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } };

export const horizontalPodAutoscalerRules: ResourceRules<HorizontalPodAutoscaler> = {
  resource: horizontalpodautoscalers,
  otherVersions: [autoscalersV1 as OtherVersion<HorizontalPodAutoscaler>],
  setDefaults,
  prepareForCreate(autoscaler) {
    dropStatus(autoscaler);
    setStatusDefaults(autoscaler);
  },
  prepareForUpdate: keepStatus,
  validate: ({ spec }) => validateSpec(spec ?? ({} as HorizontalPodAutoscalerSpec)),
  status: {
    validateUpdate: ({ status }) => [
      ...nonNegative(status?.currentReplicas, 'status.currentReplicas'),
      ...nonNegative(status?.desiredReplicas, 'status.desiredReplicas'),
    ],
  },
  columns: [
    nameCell,
    ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`,
    targetsCell,
    ({ spec }) => String(spec?.minReplicas ?? '<unset>'),
    ({ spec }) => spec?.maxReplicas ?? 0,
    ({ status }) => status?.currentReplicas ?? 0,
    ageCell,
  ],
};

function setDefaults(autoscaler: HorizontalPodAutoscaler): void {
  setStatusDefaults(autoscaler);
  const { spec } = autoscaler;
  if (!spec) return;
  spec.minReplicas ??= 1;
  if ((spec.metrics?.length ?? 0) === 0) spec.metrics = [structuredClone(defaultMetric)];
  setBehaviorDefaults(spec.behavior);
}

function setStatusDefaults(autoscaler: HorizontalPodAutoscaler): void {
  autoscaler.status = { desiredReplicas: 0, currentMetrics: [], ...autoscaler.status };
  if ((autoscaler.status.currentMetrics?.length ?? 0) === 0) delete autoscaler.status.currentMetrics;
}

function validateSpec(spec: HorizontalPodAutoscalerSpec): FieldError[] {
  const { minReplicas, maxReplicas = 0 } = spec;
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(invalidValue('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  }
  if (maxReplicas < 1) errors.push(invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  return [
    ...errors,
    ...validateReference(spec.scaleTargetRef, 'spec.scaleTargetRef'),
    ...validateMetrics(spec.metrics ?? [], 'spec.metrics', validateReference),
    ...validateBehavior(spec.behavior, 'spec.behavior'),
  ];
}

function validateReference(reference: CrossVersionObjectReference | undefined, path: string): FieldError[] {
  return (['kind', 'name'] as const).flatMap((field) => {
    const value = reference?.[field] ?? '';
    if (value === '') return [required(child(path, field))];
    return pathSegmentName(value, false).map((message) => invalidValue(child(path, field), value, message));
  });
}
