// How much of a quota is in use: the sum over everything that it is about, for exactly the resources that it limits.
import type { ResourceQuota } from '#api/generated/core-v1.ts';
import type { QuantityMap } from '#api/core/quantities.ts';
import { addQuantityMaps } from '#api/core/quantities.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { formatQuantity, parseQuantity } from '#api/meta/quantity.ts';
import { evaluatorOf } from '#api/quota/evaluators.ts';
import { namesCounted } from '#api/quota/match.ts';

export interface Countable {
  type: { group: string; plural: string };
  /** All of the quota's namespace; asked only where the quota counts the kind. */
  objects(): readonly KubeObject[];
}

export function countUsage(quota: ResourceQuota, groups: readonly Countable[], nowMs: number): Record<string, string> {
  const hard = quota.spec?.hard ?? {};
  let sum: QuantityMap = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']));
  for (const { type, objects } of groups) {
    const evaluator = evaluatorOf(type);
    if (!Object.keys(hard).some((name) => evaluator.counts(name))) continue;
    for (const object of objects()) {
      if (namesCounted(quota, hard, evaluator, object) !== undefined) sum = addQuantityMaps(sum, evaluator.usageOf(object, nowMs));
    }
  }
  const text = (amount: QuantityMap[string]) => formatQuantity(typeof amount === 'string' ? parseQuantity(amount) : amount);
  return Object.fromEntries(Object.keys(hard).map((name) => [name, text(sum[name]!)]));
}
