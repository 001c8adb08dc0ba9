// The condition of a disruption budget that says whether a pod may be taken away now.
import type { Condition } from '#api/generated/meta-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import { withCondition } from '#api/meta/conditions.ts';

/** As it follows from the number of disruptions that are allowed. */
export function withDisruptionAllowed(budget: PodDisruptionBudget, now: string, failure?: string): Condition[] {
  const allowed = (budget.status?.disruptionsAllowed ?? 0) > 0;
  const condition = {
    type: 'DisruptionAllowed',
    status: failure === undefined && allowed ? 'True' : 'False',
    ...(budget.status?.observedGeneration !== undefined && { observedGeneration: budget.status.observedGeneration }),
    lastTransitionTime: now,
    reason: failure !== undefined ? 'SyncFailed' : allowed ? 'SufficientPods' : 'InsufficientPods',
    message: failure ?? '',
  } as Condition;
  return withCondition(budget.status?.conditions, condition);
}
