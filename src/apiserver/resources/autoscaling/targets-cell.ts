// An autoscaler's metrics as its table shows them: what is measured against what is wanted.
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '#api/generated/autoscaling-v2.ts';
import { firstOf } from '../table-cells.ts';

const shownMetrics = 2;

export function targetsCell({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return '<none>';
  return firstOf(
    metrics.map((metric, position) => cellOf(metric, status?.currentMetrics?.[position])),
    shownMetrics,
    ', ',
  );
}

function cellOf(metric: MetricSpec, status: MetricStatus | undefined): string {
  const { resource, containerResource, pods, object, external } = metric;
  const own = resource ?? containerResource;
  if (own !== undefined) {
    const current = (resource ? status?.resource : status?.containerResource)?.current;
    return `${own.name ?? ''}: ${resourceCell(own.target, current)}`;
  }
  if (pods !== undefined) return `${status?.pods?.current?.averageValue ?? '<unknown>'}/${pods.target?.averageValue ?? ''}`;
  const source = object ?? external;
  const current = (object ? status?.object : status?.external)?.current;
  if (source?.target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${source.target.averageValue} (avg)`;
  return source === undefined ? '<unknown type>' : `${current?.value ?? '<unknown>'}/${source.target?.value ?? ''}`;
}

function resourceCell(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}`;
  const used = current?.averageUtilization === undefined ? '<unknown>' : `${current.averageUtilization}%`;
  return `${used}/${target?.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`}`;
}
