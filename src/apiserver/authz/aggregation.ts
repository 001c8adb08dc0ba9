// ClusterRoles that are made of others: their rules are those of every role that their label selectors find.
import type { ClusterRole, PolicyRule } from '#api/generated/rbac-v1.ts';
import type { LabelSelector } from '#api/generated/meta-v1.ts';

/** The rules that `role` has by its aggregationRule; in the order of the contributing roles' names, each rule once. */
export function aggregatedRules(role: ClusterRole, clusterRoles: Iterable<ClusterRole>): PolicyRule[] {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  const rules: PolicyRule[] = [];
  const seen = new Set<string>();
  const sources = [...clusterRoles].sort((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1));
  for (const source of sources) {
    if (source.metadata.name === role.metadata.name) continue;
    if (!selectors.some((selector) => selects(selector, source.metadata.labels ?? {}))) continue;
    for (const rule of source.rules ?? []) {
      const key = JSON.stringify(rule);
      if (seen.has(key)) continue;
      seen.add(key);
      rules.push(rule);
    }
  }
  return rules;
}

function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return exact && (selector.matchExpressions ?? []).every(({ key, operator, values }) => holds(operator, labels[key], values ?? []));
}

function holds(operator: string, value: string | undefined, values: readonly string[]): boolean {
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  if (operator === 'In') return value !== undefined && values.includes(value);
  return operator === 'NotIn' && (value === undefined || !values.includes(value));
}
