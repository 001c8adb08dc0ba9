// What an autoscaler does now: the largest of what its metrics propose, within its bounds and at its pace.
import type { HorizontalPodAutoscaler, MetricStatus } from '#api/generated/autoscaling-v2.ts';
import { messageOf } from '../runtime/failures.ts';
import type { MetricSource, Proposal } from './metrics.ts';
import { MetricError, propose } from './metrics.ts';
import type { History } from './rates.ts';
import { normalize } from './rates.ts';

export interface Decision {
  replicas: number;
  /** Why the number is another one. */
  reason: string;
  /** No number can be told: everything stays. */
  failed: boolean;
  /** Undefined: as they were. */
  metrics?: MetricStatus[];
  conditions: { type: string; status: 'True' | 'False'; reason: string; message: string }[];
  warnings: { reason: string; message: string }[];
}

export interface Situation extends MetricSource {
  /** How many pods there are, whatever is wanted. */
  statusReplicas: number;
}

export async function decide(autoscaler: HorizontalPodAutoscaler, history: History, situation: Situation): Promise<Decision> {
  const { currentReplicas: current, nowMs } = situation;
  const { minReplicas = 1, maxReplicas } = autoscaler.spec;
  const plain = { failed: false, conditions: [], warnings: [] };
  if (current === 0 && minReplicas !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero';
    const conditions = [{ type: 'ScalingActive', status: 'False' as const, reason: 'ScalingDisabled', message }];
    return { ...plain, replicas: 0, reason: '', conditions };
  }
  if (current > maxReplicas) {
    return { ...plain, replicas: maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas' };
  }
  if (current < minReplicas) {
    return { ...plain, replicas: minReplicas, reason: 'Current number of replicas below Spec.MinReplicas' };
  }
  const wanted = await wantedByMetrics(autoscaler, situation);
  if (wanted.failed) return wanted;
  const verdict = normalize(autoscaler, history, { current, desired: wanted.replicas, nowMs });
  return {
    ...wanted,
    replicas: verdict.replicas,
    reason: verdict.replicas > current ? `${wanted.reason} above target` : 'All metrics below target',
    conditions: [
      ...wanted.conditions,
      { type: 'AbleToScale', status: 'True', ...verdict.stabilized },
      { type: 'ScalingLimited', ...verdict.limited },
    ],
  };
}

/** `reason` is the name of the metric that asked for most. */
async function wantedByMetrics(autoscaler: HorizontalPodAutoscaler, situation: Situation): Promise<Decision> {
  const specs = autoscaler.spec.metrics ?? [];
  if (situation.selector === '') {
    const error = new MetricError('InvalidSelector', 'selector is required', 'selector is required');
    return failure(situation, error, "the HPA target's scale is missing a selector", 'SelectorRequired');
  }
  const proposals: Proposal[] = [];
  const errors: MetricError[] = [];
  const warnings: Decision['warnings'] = [];
  for (const metric of specs) {
    try {
      proposals.push(await propose(autoscaler, metric, situation));
    } catch (error) {
      const known = error instanceof MetricError ? error : new MetricError('FailedGetMetric', messageOf(error), messageOf(error));
      errors.push(known);
      warnings.push({ reason: known.reason, message: known.detail });
    }
  }
  const largest = proposals.reduce<Proposal | undefined>((most, each) => (most && most.replicas >= each.replicas ? most : each), undefined);
  // While some metrics are unknown, the others may not shrink anything.
  if (largest === undefined || (errors.length > 0 && largest.replicas < situation.currentReplicas)) {
    const [first] = errors;
    const message = `invalid metrics (${errors.length} invalid out of ${specs.length}), first error is: ${first!.message}`;
    const failed = failure(situation, first!, `the HPA was unable to compute the replica count: ${first!.detail}`, first!.reason);
    return { ...failed, warnings: [...warnings, { reason: 'FailedComputeMetricsReplicas', message }] };
  }
  const message = `the HPA was able to successfully calculate a replica count from ${largest.name}`;
  return {
    replicas: largest.replicas,
    reason: largest.name,
    failed: false,
    metrics: proposals.map(({ status }) => status),
    conditions: [{ type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound', message }],
    warnings,
  };
}

function failure({ currentReplicas }: Situation, error: MetricError, message: string, event: string): Decision {
  return {
    replicas: currentReplicas,
    reason: '',
    failed: true,
    conditions: [{ type: 'ScalingActive', status: 'False', reason: error.reason, message }],
    warnings: [{ reason: event, message: error.detail }],
  };
}
