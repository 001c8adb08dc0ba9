// How many pods a resource metric asks for, from what the pods use: pods without metrics and pods that are starting are assumed
// to speak against any change. Source of the rules: upstream's replica calculator.
import type { Pod } from '#api/generated/core-v1.ts';
import { isSidecar } from '#api/core/pod-requests.ts';
import { podCondition } from '#api/core/pod-state.ts';
import { milliValueOf } from '#api/meta/quantity.ts';

const cpuInitializationMs = 300_000;
const initialReadinessDelayMs = 30_000;

export interface PodMetric {
  /** Thousandths. */
  milliValue: number;
  timestampMs: number;
  windowMs: number;
}

interface Tolerances {
  up: number;
  down: number;
}

export interface ResourceQuestion {
  resource: string;
  /** Of one container only; unset: of the whole pod. */
  container?: string | undefined;
  /** Percent of the requests. */
  targetUtilization?: number;
  /** Thousandths a pod. */
  targetMilliValue?: number;
  pods: readonly Pod[];
  /** By pod name. */
  metrics: ReadonlyMap<string, PodMetric>;
  currentReplicas: number;
  tolerances: Tolerances;
  nowMs: number;
}

export interface ResourceAnswer {
  replicas: number;
  /** Percent of the requests, as measured. */
  utilization?: number;
  /** Thousandths a pod, as measured. */
  averageMilliValue: number;
}

/** Throws where nothing can be said. */
export function replicasFor(question: ResourceQuestion): ResourceAnswer {
  const { pods, currentReplicas, tolerances } = question;
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count');
  const groups = groupPods(question);
  const measured = new Map([...question.metrics].filter(([name]) => !groups.ignored.has(name) && !groups.unready.has(name)));
  const values = new Map([...measured].map(([name, metric]) => [name, metric.milliValue]));
  if (values.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)');
  const requests = question.targetUtilization === undefined ? undefined : requestsOf(question);
  const first = ratioOf(question, values, requests);
  const answer = {
    averageMilliValue: first.averageMilliValue,
    ...(first.utilization !== undefined && { utilization: first.utilization }),
  };
  const addsUnready = groups.unready.size > 0 && first.ratio > 1;
  if (!addsUnready && groups.missing.size === 0) {
    const replicas = isWithin(tolerances, first.ratio) ? currentReplicas : Math.ceil(rounded(first.ratio * groups.readyCount));
    return { ...answer, replicas };
  }
  // A pod that we know nothing of is taken to be as busy as would keep things as they are, or more so.
  if (first.ratio < 1) {
    for (const name of groups.missing) values.set(name, assumedWhenShrinking(question, requests?.get(name) ?? 0));
  } else if (first.ratio > 1) for (const name of groups.missing) values.set(name, 0);
  if (addsUnready) for (const name of groups.unready) values.set(name, 0);
  const { ratio } = ratioOf(question, values, requests);
  const turned = (first.ratio < 1 && ratio > 1) || (first.ratio > 1 && ratio < 1);
  if (isWithin(tolerances, ratio) || turned) return { ...answer, replicas: currentReplicas };
  const replicas = Math.ceil(rounded(ratio * values.size));
  const wrongWay = (ratio < 1 && replicas > currentReplicas) || (ratio > 1 && replicas < currentReplicas);
  return { ...answer, replicas: wrongWay ? currentReplicas : replicas };
}

function assumedWhenShrinking({ targetUtilization, targetMilliValue }: ResourceQuestion, request: number): number {
  return targetUtilization === undefined ? targetMilliValue! : (request * Math.max(100, targetUtilization)) / 100;
}

interface Groups {
  readyCount: number;
  unready: Set<string>;
  missing: Set<string>;
  ignored: Set<string>;
}

function groupPods(question: ResourceQuestion): Groups {
  const groups: Groups = { readyCount: 0, unready: new Set(), missing: new Set(), ignored: new Set() };
  for (const pod of question.pods) {
    const name = pod.metadata.name!;
    const metric = question.metrics.get(name);
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Failed') groups.ignored.add(name);
    else if (pod.status?.phase === 'Pending') groups.unready.add(name);
    else if (metric === undefined) groups.missing.add(name);
    else if (question.resource === 'cpu' && isStarting(pod, metric, question.nowMs)) groups.unready.add(name);
    else groups.readyCount++;
  }
  return groups;
}

/** What a pod uses while it starts says nothing about what it will use. */
function isStarting(pod: Pod, metric: PodMetric, nowMs: number): boolean {
  const ready = podCondition(pod, 'Ready');
  const startedMs = Date.parse(pod.status?.startTime ?? '');
  if (ready === undefined || Number.isNaN(startedMs)) return true;
  const changedMs = Date.parse(ready.lastTransitionTime ?? '') || 0;
  if (startedMs + cpuInitializationMs > nowMs) return ready.status === 'False' || metric.timestampMs < changedMs + metric.windowMs;
  return ready.status === 'False' && startedMs + initialReadinessDelayMs > changedMs;
}

function requestsOf({ pods, resource, container }: ResourceQuestion): Map<string, number> {
  return new Map(
    pods.map((pod) => {
      const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? []).filter(isSidecar)];
      const own = container === undefined ? containers : containers.filter(({ name }) => name === container);
      const podLevel = container === undefined ? pod.spec.resources?.requests?.[resource] : undefined;
      if (podLevel !== undefined) return [pod.metadata.name!, milliValueOf(podLevel)];
      const sum = own.reduce((total, each) => {
        const request = each.resources?.requests?.[resource];
        if (request === undefined) throw new Error(`missing request for ${resource} in container ${each.name} of Pod ${pod.metadata.name}`);
        return total + milliValueOf(request);
      }, 0);
      return [pod.metadata.name!, sum];
    }),
  );
}

function ratioOf(
  { targetUtilization, targetMilliValue }: ResourceQuestion,
  values: ReadonlyMap<string, number>,
  requests: ReadonlyMap<string, number> | undefined,
): { ratio: number; utilization?: number; averageMilliValue: number } {
  const total = [...values.values()].reduce((sum, value) => sum + value, 0);
  const averageMilliValue = Math.trunc(total / values.size);
  if (requests === undefined) return { ratio: averageMilliValue / targetMilliValue!, averageMilliValue };
  const requested = [...values.keys()].reduce((sum, name) => sum + (requests.get(name) ?? 0), 0);
  if (requested === 0) throw new Error('no metrics returned matched known pods');
  const utilization = Math.trunc((total * 100) / requested);
  return { ratio: utilization / targetUtilization!, utilization, averageMilliValue };
}

const isWithin = ({ up, down }: Tolerances, ratio: number): boolean => rounded(ratio) >= 1 - down && rounded(ratio) <= 1 + up;
/** 1.1 and 3 × 1.1 are not what binary fractions make of them. */
const rounded = (value: number): number => Math.round(value * 1e9) / 1e9;
