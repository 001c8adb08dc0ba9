// ClusterRoles that are made of others: their rules are those of every role that their label selectors find.
import type { ClusterRole, PolicyRule } from '#api/generated/rbac-v1.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';

/** The rules that `role` has by its aggregationRule; in the order of the contributing roles' names, each rule once. */
export function aggregatedRules(role: ClusterRole, clusterRoles: Iterable<ClusterRole>): PolicyRule[] {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map(selectorOfLabelSelector);
  const rules: PolicyRule[] = [];
  const seen = new Set<string>();
  const sources = [...clusterRoles].sort((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1));
  for (const source of sources) {
    if (source.metadata.name === role.metadata.name) continue;
    if (!selectors.some((selector) => selector.matches(source.metadata.labels))) continue;
    for (const rule of source.rules ?? []) {
      const key = JSON.stringify(rule);
      if (seen.has(key)) continue;
      seen.add(key);
      rules.push(rule);
    }
  }
  return rules;
}
