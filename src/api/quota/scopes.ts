// Scopes: the part of a namespace's objects that a quota is about. All of a quota's scopes must hold.
import type { ResourceQuota, ScopedResourceSelectorRequirement } from '#api/generated/core-v1.ts';

/** A plain scope is a requirement that it exists, except for a priority class, which a pod has or has not. */
export function scopesOf({ spec }: ResourceQuota): ScopedResourceSelectorRequirement[] {
  const plain = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }));
  return [...plain, ...(spec?.scopeSelector?.matchExpressions ?? [])];
}

export function matchesRequirement({ operator, values = [] }: ScopedResourceSelectorRequirement, actual: ReadonlySet<string>): boolean {
  switch (operator) {
    case 'Exists':
      return actual.size > 0;
    case 'DoesNotExist':
      return actual.size === 0;
    case 'In':
      return values.some((value) => actual.has(value));
    case 'NotIn':
      return !values.some((value) => actual.has(value));
    default:
      return false;
  }
}
