// Which quotas an object counts against, and in which of their resources.
import type { ResourceQuota } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { QuotaEvaluator } from './evaluator.ts';
import { scopesOf } from './scopes.ts';

/** The names among `hard` that the object counts in; undefined where the quota is not about it. */
export function namesCounted(
  quota: ResourceQuota,
  hard: Readonly<Record<string, string>> | undefined,
  evaluator: QuotaEvaluator,
  object: KubeObject,
): string[] | undefined {
  const names = Object.keys(hard ?? {}).filter(evaluator.counts);
  if (names.length === 0) return undefined;
  return scopesOf(quota).every((scope) => evaluator.isInScope?.(object, scope) ?? false) ? names : undefined;
}
