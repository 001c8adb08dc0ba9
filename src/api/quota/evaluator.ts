// What one object counts against a quota, kind by kind: the API server charges it, the quota controller adds it up.
import type { ScopedResourceSelectorRequirement } from '#api/generated/core-v1.ts';
import type { QuantityMap } from '#api/core/quantities.ts';
import type { KubeObject } from '#api/meta/object.ts';

export interface QuotaEvaluator<T = KubeObject> {
  /** Whether a quota may count this resource name in objects of the kind. */
  counts(name: string): boolean;
  usageOf(object: T, nowMs: number): QuantityMap;
  /** Whether the object is in a scope; without it only quotas without scopes are about the kind. */
  isInScope?(object: T, scope: ScopedResourceSelectorRequirement): boolean;
  /** Why the object cannot be counted, although the quota counts these names. */
  refusal?(object: T, names: readonly string[]): string | undefined;
  /** Updates are counted, too. */
  onUpdate?: boolean;
}
