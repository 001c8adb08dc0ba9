// Autoscalers as autoscaling/v1 has them: a CPU target in the spec, everything else in annotations, so that nothing is lost on the way.
import type { HorizontalPodAutoscaler as V1 } from '#api/generated/autoscaling-v1.ts';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  MetricStatus,
} from '#api/generated/autoscaling-v2.ts';
import { horizontalpodautoscalersV1 } from '#api/generated/resources.ts';
import type { OtherVersion } from '../resource.ts';
import { metricFromV1, metricToV1, statusFromV1, statusToV1 } from './metrics-v1.ts';

const prefix = 'autoscaling.alpha.kubernetes.io/';
const names = ['metrics', 'current-metrics', 'conditions', 'behavior', 'scale-up-tolerance', 'scale-down-tolerance'] as const;
type Annotations = Partial<Record<(typeof names)[number], string>>;

export const autoscalersV1: OtherVersion<HorizontalPodAutoscaler, V1> = {
  resource: horizontalpodautoscalersV1,
  toStorage,
  fromStorage,
};

function fromStorage({ metadata, spec, status }: HorizontalPodAutoscaler): V1 {
  const cpu = (spec?.metrics ?? []).find(isCpuUtilization);
  const others = (spec?.metrics ?? []).filter((metric) => metric !== cpu);
  const { currentMetrics = [], conditions = [], ...counts } = status ?? { desiredReplicas: 0 };
  const currentCpu = currentMetrics.find(({ resource }) => resource?.name === 'cpu' && resource.current.averageUtilization !== undefined);
  const { scaleUp, scaleDown } = spec?.behavior ?? {};
  const annotations: Annotations = {
    ...(others.length > 0 && { metrics: JSON.stringify(others.map(metricToV1)) }),
    ...(currentMetrics.length > 0 && { 'current-metrics': JSON.stringify(currentMetrics.map(statusToV1)) }),
    ...(conditions.length > 0 && { conditions: JSON.stringify(conditions) }),
    ...(spec?.behavior && { behavior: JSON.stringify(withoutTolerances(spec.behavior)) }),
    ...(scaleUp?.tolerance !== undefined && { 'scale-up-tolerance': scaleUp.tolerance }),
    ...(scaleDown?.tolerance !== undefined && { 'scale-down-tolerance': scaleDown.tolerance }),
  };
  const { metrics: _metrics, behavior: _behavior, ...kept } = spec ?? {};
  return {
    metadata: annotated(metadata, annotations),
    spec: { ...kept, ...(cpu && { targetCPUUtilizationPercentage: cpu.resource!.target.averageUtilization }) } as V1['spec'],
    status: {
      ...counts,
      currentReplicas: counts.currentReplicas ?? 0,
      ...(currentCpu && { currentCPUUtilizationPercentage: currentCpu.resource!.current.averageUtilization }),
    } as V1['status'],
  };
}

function toStorage({ metadata, spec, status }: V1): HorizontalPodAutoscaler {
  const { targetCPUUtilizationPercentage: target, ...kept } = spec ?? {};
  const { currentCPUUtilizationPercentage: utilization, ...counts } = status ?? { currentReplicas: 0, desiredReplicas: 0 };
  const read = <T>(name: keyof Annotations): T | undefined => parsed(metadata.annotations?.[`${prefix}${name}`]);
  const metrics = [
    ...(target === undefined ? [] : [cpuMetric(target)]),
    ...(read<Parameters<typeof metricFromV1>[0][]>('metrics') ?? []).map(metricFromV1),
  ];
  const currentMetrics = read<Parameters<typeof statusFromV1>[0][]>('current-metrics')?.map(statusFromV1) ?? [];
  if (currentMetrics.length === 0 && utilization !== undefined) currentMetrics.push(cpuStatus(utilization));
  const behavior = withTolerances(read<HorizontalPodAutoscalerBehavior>('behavior'), metadata.annotations ?? {});
  const conditions = read<HorizontalPodAutoscalerCondition[]>('conditions');
  return {
    metadata: annotated(metadata, {}),
    spec: { ...kept, ...(metrics.length > 0 && { metrics }), ...(behavior && { behavior }) } as HorizontalPodAutoscaler['spec'],
    status: { ...counts, ...(currentMetrics.length > 0 && { currentMetrics }), ...(conditions && { conditions }) },
  };
}

const isCpuUtilization = ({ type, resource }: MetricSpec): boolean =>
  type === 'Resource' && resource?.name === 'cpu' && resource.target?.averageUtilization !== undefined;

const cpuMetric = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});
const cpuStatus = (averageUtilization: number): MetricStatus => ({
  type: 'Resource',
  resource: { name: 'cpu', current: { averageUtilization } },
});

/** Metadata with these annotations, and none that an earlier turn left behind. */
function annotated(metadata: V1['metadata'], annotations: Annotations): V1['metadata'] {
  const others = Object.entries(metadata.annotations ?? {}).filter(([name]) => !names.some((own) => name === `${prefix}${own}`));
  const own = Object.entries(annotations).map(([name, value]) => [`${prefix}${name}`, value] as const);
  const { annotations: _before, ...rest } = metadata;
  return others.length + own.length === 0 ? rest : { ...rest, annotations: Object.fromEntries([...others, ...own]) };
}

function withoutTolerances(behavior: HorizontalPodAutoscalerBehavior): HorizontalPodAutoscalerBehavior {
  const strip = (rules: HorizontalPodAutoscalerBehavior['scaleUp']) => rules && { ...rules, tolerance: undefined };
  return { scaleUp: strip(behavior.scaleUp), scaleDown: strip(behavior.scaleDown) } as HorizontalPodAutoscalerBehavior;
}

function withTolerances(
  behavior: HorizontalPodAutoscalerBehavior | undefined,
  annotations: Readonly<Record<string, string>>,
): HorizontalPodAutoscalerBehavior | undefined {
  const [up, down] = [annotations[`${prefix}scale-up-tolerance`], annotations[`${prefix}scale-down-tolerance`]];
  if (up === undefined && down === undefined) return behavior;
  return {
    ...behavior,
    ...(up !== undefined && { scaleUp: { ...behavior?.scaleUp, tolerance: up } }),
    ...(down !== undefined && { scaleDown: { ...behavior?.scaleDown, tolerance: down } }),
  };
}

/** What is no JSON was not written by us, and says nothing. */
function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
