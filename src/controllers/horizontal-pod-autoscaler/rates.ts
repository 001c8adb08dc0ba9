// How far and how fast an autoscaler may go: recommendations are held against their recent fellows, and changes against policies.
import type { HorizontalPodAutoscaler, HPAScalingPolicy, HPAScalingRules } from '#api/generated/autoscaling-v2.ts';

interface Change {
  atMs: number;
  replicas: number;
}

/** What is remembered of one autoscaler, oldest first. */
export interface History {
  recommendations: Change[];
  added: Change[];
  removed: Change[];
}

export interface Verdict {
  replicas: number;
  stabilized: { reason: string; message: string };
  limited: { status: 'True' | 'False'; reason: string; message: string };
}

const downscaleStabilizationSeconds = 300;
const longestMs = 3_600_000;
const defaultUp: HPAScalingRules = {
  selectPolicy: 'Max',
  stabilizationWindowSeconds: 0,
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const defaultDown: HPAScalingRules = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

export const emptyHistory = (): History => ({ recommendations: [], added: [], removed: [] });

/** Notes the recommendation in the history. */
export function normalize(
  { spec }: Pick<HorizontalPodAutoscaler, 'spec'>,
  history: History,
  { current, desired, nowMs }: { current: number; desired: number; nowMs: number },
): Verdict {
  const up = spec.behavior?.scaleUp ?? defaultUp;
  const down = spec.behavior?.scaleDown ?? defaultDown;
  forgetOld(history, nowMs);
  const upWindowMs = (up.stabilizationWindowSeconds ?? 0) * 1000;
  const downWindowMs = (down.stabilizationWindowSeconds ?? downscaleStabilizationSeconds) * 1000;
  const recent = (windowMs: number) =>
    history.recommendations.filter(({ atMs }) => atMs > nowMs - windowMs).map(({ replicas }) => replicas);
  const lowest = Math.min(desired, ...recent(upWindowMs));
  const highest = Math.max(desired, ...recent(downWindowMs));
  const stable = Math.min(Math.max(current, lowest), highest);
  history.recommendations.push({ atMs: nowMs, replicas: desired });
  const { replicas, ...limited } = limit(spec, history, { up, down }, { current, desired: stable, nowMs });
  return { replicas, stabilized: stabilizedReason(stable, desired, current), limited };
}

function stabilizedReason(stable: number, desired: number, current: number): Verdict['stabilized'] {
  if (stable === desired) return { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
  if (desired >= current) {
    const message = 'recent recommendations were lower than current one, applying the lowest recent recommendation';
    return { reason: 'ScaleUpStabilized', message };
  }
  const message = 'recent recommendations were higher than current one, applying the highest recent recommendation';
  return { reason: 'ScaleDownStabilized', message };
}

function limit(
  { minReplicas = 1, maxReplicas }: HorizontalPodAutoscaler['spec'],
  history: History,
  rules: { up: HPAScalingRules; down: HPAScalingRules },
  { current, desired, nowMs }: { current: number; desired: number; nowMs: number },
): { replicas: number } & Verdict['limited'] {
  if (desired > current) {
    const fastest = Math.max(current, upLimit(current, history, rules.up, nowMs));
    if (desired > Math.min(fastest, maxReplicas)) {
      return fastest < maxReplicas
        ? {
            replicas: fastest,
            status: 'True',
            reason: 'ScaleUpLimit',
            message: 'the desired replica count is increasing faster than the maximum scale rate',
          }
        : tooMany(maxReplicas);
    }
  } else if (desired < current) {
    const fastest = Math.min(current, downLimit(current, history, rules.down, nowMs));
    if (desired < Math.max(fastest, minReplicas)) {
      return fastest > minReplicas
        ? {
            replicas: fastest,
            status: 'True',
            reason: 'ScaleDownLimit',
            message: 'the desired replica count is decreasing faster than the maximum scale rate',
          }
        : tooFew(minReplicas);
    }
  }
  if (desired > maxReplicas) return tooMany(maxReplicas);
  if (desired < minReplicas) return tooFew(minReplicas);
  return { replicas: desired, status: 'False', reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' };
}

const tooMany = (replicas: number) => ({
  replicas,
  status: 'True' as const,
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
});
const tooFew = (replicas: number) => ({
  replicas,
  status: 'True' as const,
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
});

function upLimit(current: number, history: History, { selectPolicy, policies = [] }: HPAScalingRules, nowMs: number): number {
  if (selectPolicy === 'Disabled') return current;
  const limits = policies.map((policy) => {
    const start = periodStart(current, history, policy, nowMs);
    return policy.type === 'Pods' ? start + policy.value : Math.ceil(start * (1 + policy.value / 100));
  });
  return selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

function downLimit(current: number, history: History, { selectPolicy, policies = [] }: HPAScalingRules, nowMs: number): number {
  if (selectPolicy === 'Disabled') return current;
  const limits = policies.map((policy) => {
    const start = periodStart(current, history, policy, nowMs);
    return policy.type === 'Pods' ? start - policy.value : Math.trunc(start * (1 - policy.value / 100));
  });
  // The largest change is the smallest number.
  return selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
}

/** The size when the policy's period began. */
function periodStart(current: number, { added, removed }: History, { periodSeconds }: HPAScalingPolicy, nowMs: number): number {
  const within = (changes: Change[]) =>
    changes.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000).reduce((sum, { replicas }) => sum + replicas, 0);
  return current - within(added) + within(removed);
}

function forgetOld(history: History, nowMs: number): void {
  for (const changes of [history.recommendations, history.added, history.removed]) {
    while (changes[0] !== undefined && changes[0].atMs < nowMs - longestMs) changes.shift();
  }
}
