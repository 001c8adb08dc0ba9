// What one metric of an autoscaler proposes, and how it is reported. There is a resource metrics API here and no other:
// metrics of other kinds fail as they do on any cluster without an adapter.
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget } from '#api/generated/autoscaling-v2.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { podMetrics } from '#api/generated/resources.ts';
import { approximateValueOf, formatQuantity, milliValueOf } from '#api/meta/quantity.ts';
import { parseDuration } from '#api/meta/time.ts';
import type { Client } from '#client/client.ts';
import { messageOf } from '../runtime/failures.ts';
import type { PodMetric, ResourceAnswer } from './replicas.ts';
import { replicasFor } from './replicas.ts';

const defaultTolerance = 0.1;

export interface MetricSource {
  client: Client;
  namespace: string;
  selector: string;
  pods: readonly Pod[];
  currentReplicas: number;
  nowMs: number;
}

export interface Proposal {
  replicas: number;
  /** What was measured, in words. */
  name: string;
  status: MetricStatus;
}

export class MetricError extends Error {
  override name = 'MetricError';
  readonly reason: string;
  /** The message of the event and the condition; the error's own says what it was needed for. */
  readonly detail: string;
  constructor(reason: string, detail: string, message: string) {
    super(message);
    this.reason = reason;
    this.detail = detail;
  }
}

export async function propose(autoscaler: HorizontalPodAutoscaler, metric: MetricSpec, source: MetricSource): Promise<Proposal> {
  const { resource, containerResource, pods, object, external } = metric;
  const tell = metric.type === 'External' ? externalApi : customApi;
  if (metric.type === 'Resource' && resource) return await proposeByResource(autoscaler, { ...resource, type: 'Resource' }, source);
  if (metric.type === 'ContainerResource' && containerResource) {
    return await proposeByResource(autoscaler, { ...containerResource, type: 'ContainerResource' }, source);
  }
  if (metric.type === 'Pods' && pods) {
    const detail = `unable to get metric ${pods.metric.name}: ${tell}`;
    throw new MetricError('FailedGetPodsMetric', detail, `failed to get pods metric value: ${detail}`);
  }
  if (metric.type === 'Object' && object) {
    const { kind, name } = object.describedObject;
    const detail = `unable to get metric ${object.metric.name}: ${kind} on ${source.namespace} ${name}/${tell}`;
    throw new MetricError('FailedGetObjectMetric', detail, `failed to get object metric value: ${detail}`);
  }
  if (metric.type === 'External' && external) {
    const detail = `unable to get external metric ${source.namespace}/${external.metric.name}/nil: ${tell}`;
    throw new MetricError('FailedGetExternalMetric', detail, `failed to get ${external.metric.name} external metric value: ${detail}`);
  }
  const detail = `unknown metric source type "${metric.type}"`;
  throw new MetricError('InvalidMetricSourceType', detail, detail);
}

const customApi = 'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered';
const externalApi = 'unable to fetch metrics from external metrics API: the server could not find the requested resource';

interface ResourceMetric {
  type: 'Resource' | 'ContainerResource';
  name: string;
  container?: string;
  target: MetricTarget;
}

async function proposeByResource(
  autoscaler: HorizontalPodAutoscaler,
  { type, name, container, target }: ResourceMetric,
  source: MetricSource,
): Promise<Proposal> {
  const what = container === undefined ? `${name} resource` : `${name} container resource`;
  const ofUtilization = target.averageValue === undefined;
  let answer: ResourceAnswer;
  try {
    const metrics = await measure(source, name, container);
    const { scaleUp, scaleDown } = autoscaler.spec.behavior ?? {};
    answer = replicasFor({
      resource: name,
      container,
      ...(ofUtilization ? { targetUtilization: target.averageUtilization! } : { targetMilliValue: milliValueOf(target.averageValue) }),
      pods: source.pods,
      metrics,
      currentReplicas: source.currentReplicas,
      tolerances: { up: toleranceOf(scaleUp?.tolerance), down: toleranceOf(scaleDown?.tolerance) },
      nowMs: source.nowMs,
    });
  } catch (error) {
    const detail = ofUtilization
      ? `failed to get ${name} utilization: ${messageOf(error)}`
      : `failed to get ${name} usage: ${messageOf(error)}`;
    throw new MetricError(`FailedGet${type}Metric`, detail, `failed to get ${what} metric value: ${detail}`);
  }
  const averageValue = formatQuantity({ unscaled: BigInt(answer.averageMilliValue), scale: -3, format: 'DecimalSI' });
  const current = { averageValue, ...(answer.utilization !== undefined && { averageUtilization: answer.utilization }) };
  const status: MetricStatus =
    container === undefined ? { type, resource: { name, current } } : { type, containerResource: { name, container, current } };
  return { replicas: answer.replicas, name: ofUtilization ? `${what} utilization (percentage of request)` : what, status };
}

/** By pod name. */
async function measure(source: MetricSource, resource: string, container: string | undefined): Promise<Map<string, PodMetric>> {
  const found = await source.client.list(podMetrics, { namespace: source.namespace, labelSelector: source.selector });
  const failed = `unable to get metrics for resource ${resource}`;
  if (found.items.length === 0) throw new Error(`${failed}: no metrics returned from resource metrics API`);
  const metrics = new Map<string, PodMetric>();
  for (const { metadata, containers, timestamp, window } of found.items) {
    const own = container === undefined ? containers : containers.filter(({ name }) => name === container);
    if (own.length === 0 || own.some(({ usage }) => usage[resource] === undefined)) continue;
    const milliValue = own.reduce((sum, { usage }) => sum + milliValueOf(usage[resource]), 0);
    const windowMs = Number(parseDuration(window) / 1_000_000n);
    metrics.set(metadata.name!, { milliValue, timestampMs: Date.parse(timestamp), windowMs });
  }
  return metrics;
}

const toleranceOf = (tolerance: string | undefined): number => (tolerance === undefined ? defaultTolerance : approximateValueOf(tolerance));
