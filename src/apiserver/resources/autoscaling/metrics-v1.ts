// Metrics in the form that autoscaling/v1 writes into annotations, and back.
import type { MetricSpec as V1Spec, MetricStatus as V1Status } from '#api/generated/autoscaling-v1.ts';
import type { MetricSpec, MetricStatus, MetricTarget } from '#api/generated/autoscaling-v2.ts';

export function metricToV1({ type, object, pods, resource, containerResource, external }: MetricSpec): V1Spec {
  return plain({
    type,
    object: object && {
      target: object.describedObject,
      metricName: object.metric.name,
      selector: object.metric.selector,
      targetValue: object.target.value ?? '0',
      averageValue: object.target.averageValue,
    },
    pods: pods && {
      metricName: pods.metric.name,
      selector: pods.metric.selector,
      targetAverageValue: pods.target.averageValue ?? '0',
    },
    resource: resource && { name: resource.name, ...averages(resource.target) },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      ...averages(containerResource.target),
    },
    external: external && {
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      targetValue: external.target.value,
      targetAverageValue: external.target.averageValue,
    },
  });
}

export function metricFromV1({ type, object, pods, resource, containerResource, external }: V1Spec): MetricSpec {
  return plain({
    type,
    object: object && {
      describedObject: object.target,
      metric: { name: object.metricName, selector: object.selector },
      target:
        object.averageValue === undefined
          ? { type: 'Value', value: object.targetValue }
          : { type: 'AverageValue', averageValue: object.averageValue, value: object.targetValue === '0' ? undefined : object.targetValue },
    },
    pods: pods && {
      metric: { name: pods.metricName, selector: pods.selector },
      target: { type: 'AverageValue', averageValue: pods.targetAverageValue },
    },
    resource: resource && { name: resource.name, target: targetOf(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      target: targetOf(containerResource),
    },
    external: external && {
      metric: { name: external.metricName, selector: external.metricSelector },
      target: {
        type: external.targetValue === undefined ? 'AverageValue' : 'Value',
        value: external.targetValue,
        averageValue: external.targetAverageValue,
      },
    },
  });
}

export function statusToV1({ type, object, pods, resource, containerResource, external }: MetricStatus): V1Status {
  const of = ({ current, ...rest }: NonNullable<MetricStatus['resource']>) => ({
    ...rest,
    currentAverageUtilization: current.averageUtilization,
    currentAverageValue: current.averageValue ?? '0',
  });
  return plain({
    type,
    object: object && {
      target: object.describedObject,
      metricName: object.metric.name,
      selector: object.metric.selector,
      currentValue: object.current.value ?? '0',
      averageValue: object.current.averageValue,
    },
    pods: pods && {
      metricName: pods.metric.name,
      selector: pods.metric.selector,
      currentAverageValue: pods.current.averageValue ?? '0',
    },
    resource: resource && of(resource),
    containerResource: containerResource && { ...of(containerResource), container: containerResource.container },
    external: external && {
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      currentValue: external.current.value ?? '0',
      currentAverageValue: external.current.averageValue,
    },
  });
}

export function statusFromV1({ type, object, pods, resource, containerResource, external }: V1Status): MetricStatus {
  return plain({
    type,
    object: object && {
      describedObject: object.target,
      metric: { name: object.metricName, selector: object.selector },
      current: { value: object.currentValue, averageValue: object.averageValue },
    },
    pods: pods && {
      metric: { name: pods.metricName, selector: pods.selector },
      current: { averageValue: pods.currentAverageValue },
    },
    resource: resource && { name: resource.name, current: currentOf(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      current: currentOf(containerResource),
    },
    external: external && {
      metric: { name: external.metricName, selector: external.metricSelector },
      current: { value: external.currentValue, averageValue: external.currentAverageValue },
    },
  });
}

interface V1Averages {
  targetAverageUtilization?: number;
  targetAverageValue?: string;
}

const averages = ({ averageUtilization, averageValue }: MetricTarget): V1Averages =>
  ({
    targetAverageUtilization: averageUtilization,
    targetAverageValue: averageValue,
  }) as V1Averages;

const targetOf = ({ targetAverageUtilization, targetAverageValue }: V1Averages): MetricTarget =>
  ({
    type: targetAverageUtilization === undefined ? 'AverageValue' : 'Utilization',
    averageUtilization: targetAverageUtilization,
    averageValue: targetAverageValue,
  }) as MetricTarget;

const currentOf = (status: { currentAverageUtilization?: number; currentAverageValue: string }) => ({
  averageUtilization: status.currentAverageUtilization,
  averageValue: status.currentAverageValue,
});

/** Without members that are not set. */
function plain<T>(value: unknown): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
