// The RBAC objects that a cluster starts with, and which of them must be written at start because they are missing or were narrowed.
import { bootstrapRbac } from '#api/bootstrap-rbac.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from '#api/generated/rbac-v1.ts';
import { aggregatedRules } from '#api/rbac/aggregation.ts';

export interface BootstrapObject {
  plural: 'clusterroles' | 'clusterrolebindings' | 'roles' | 'rolebindings';
  object: KubeObject;
}

/** All of them, roles before the bindings that refer to them, aggregated roles with their rules and those that they have from `others`. */
export function bootstrapObjects(others: readonly ClusterRole[] = []): BootstrapObject[] {
  const { clusterRoles, clusterRoleBindings, roles, roleBindings } = bootstrapRbac();
  const sources = [...clusterRoles, ...others];
  // Twice: admin aggregates edit, which aggregates view.
  for (let round = 0; round < 3; round++) {
    for (const role of clusterRoles) if (role.aggregationRule) role.rules = aggregatedRules(role, sources);
  }
  return [
    ...clusterRoles.map((object) => ({ plural: 'clusterroles' as const, object })),
    ...clusterRoleBindings.map((object) => ({ plural: 'clusterrolebindings' as const, object })),
    ...roles.map((object) => ({ plural: 'roles' as const, object })),
    ...roleBindings.map((object) => ({ plural: 'rolebindings' as const, object })),
  ];
}

const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate';

/**
 * What to write so that `existing` grants at least what `wanted` does: undefined if nothing.
 * Rules and subjects that an administrator added stay; an object with autoupdate=false is left alone, and so is a changed roleRef.
 */
export function reconcile(existing: KubeObject | undefined, wanted: KubeObject): KubeObject | undefined {
  if (existing === undefined) return wanted;
  if (existing.metadata.annotations?.[autoupdate] === 'false') return undefined;
  const next =
    'roleRef' in wanted ? withSubjects(existing as RoleBinding, wanted as RoleBinding) : withRules(existing as Role, wanted as Role);
  return next;
}

function withSubjects(existing: RoleBinding | ClusterRoleBinding, wanted: RoleBinding | ClusterRoleBinding): KubeObject | undefined {
  const lacking = (wanted.subjects ?? []).filter((subject) => !(existing.subjects ?? []).some((own) => sameSubject(own, subject)));
  return lacking.length === 0
    ? undefined
    : ({ ...existing, subjects: [...(existing.subjects ?? []), ...lacking] } as RoleBinding as KubeObject);
}

function sameSubject(a: Subject, b: Subject): boolean {
  return a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');
}

function withRules(existing: Role | ClusterRole, wanted: Role | ClusterRole): KubeObject | undefined {
  // Aggregated rules follow from other roles; only the selectors are ours.
  if ('aggregationRule' in wanted && wanted.aggregationRule) return undefined;
  const own = (existing.rules ?? []).map(ruleKey);
  const lacking = (wanted.rules ?? []).filter((rule) => !own.includes(ruleKey(rule)));
  return lacking.length === 0 ? undefined : ({ ...existing, rules: [...(existing.rules ?? []), ...lacking] } as Role as KubeObject);
}

function ruleKey(rule: PolicyRule): string {
  return JSON.stringify([rule.verbs, rule.apiGroups ?? [], rule.resources ?? [], rule.resourceNames ?? [], rule.nonResourceURLs ?? []]);
}
