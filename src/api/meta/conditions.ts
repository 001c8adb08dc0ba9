// Conditions in a status: found by type, and set so that the transition time moves only with the status.

export interface ConditionLike {
  type: string;
  status: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}

export function conditionOf<T extends ConditionLike>(conditions: readonly T[] | undefined, type: string): T | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(conditions: readonly ConditionLike[] | undefined, type: string): boolean {
  return conditionOf(conditions, type)?.status === 'True';
}

/** A new list with `condition` in it; an unchanged status keeps its transition time. */
export function withCondition<T extends ConditionLike>(conditions: readonly T[] | undefined, condition: T): T[] {
  const old = conditionOf(conditions, condition.type);
  if (old === undefined) return [...(conditions ?? []), condition];
  const merged = old.status === condition.status ? { ...condition, lastTransitionTime: old.lastTransitionTime } : condition;
  return conditions!.map((candidate) => (candidate === old ? merged : candidate));
}
