// Nobody gives away more than they have: writing a role or a binding needs every right that it grants, or the verb that says otherwise.
import type { AccessAttributes, Authorizer, UserInfo } from '#api/meta/access.ts';
import { forbidden } from '#api/meta/errors.ts';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef } from '#api/generated/rbac-v1.ts';
import type { Rbac } from './rbac.ts';
import { describeRule, quoteList } from './rule-match.ts';

const group = 'rbac.authorization.k8s.io';

export interface EscalationGuard {
  /** Throws 403 if `user` may not write the role with these rules. Call it when the rules (or the aggregation) change. */
  checkRole(user: UserInfo, role: Role | ClusterRole, plural: 'roles' | 'clusterroles'): void;
  /** Throws 403 if `user` may not bind that role. Call it when subjects or roleRef change. */
  checkBinding(user: UserInfo, binding: RoleBinding | ClusterRoleBinding, plural: 'rolebindings' | 'clusterrolebindings'): void;
}

export function createEscalationGuard(rbac: Rbac, authorize: Authorizer): EscalationGuard {
  return {
    checkRole(user, role, plural) {
      const { name = '', namespace = '' } = role.metadata;
      if (isSuperuser(user) || may(authorize, user, { verb: 'escalate', resource: plural, namespace, name })) return;
      const aggregated = 'aggregationRule' in role && role.aggregationRule !== undefined;
      if (aggregated) confirm(rbac, user, '', [everything, everyPath], { plural, name });
      confirm(rbac, user, namespace, role.rules ?? [], { plural, name });
    },
    checkBinding(user, binding, plural) {
      const { name = '', namespace = '' } = binding.metadata;
      const { roleRef } = binding;
      if (isSuperuser(user) || mayBind(authorize, user, roleRef, namespace)) return;
      const rules = rbac.rulesOf(roleRef, namespace);
      if (rules === undefined) {
        throw forbidden({ group, plural }, name, `${roleRef.kind.toLowerCase()}.${group} ${JSON.stringify(roleRef.name)} not found`);
      }
      confirm(rbac, user, namespace, rules, { plural, name });
    },
  };
}

const everything: PolicyRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
const everyPath: PolicyRule = { verbs: ['*'], nonResourceURLs: ['*'] };

function isSuperuser(user: UserInfo): boolean {
  return user.groups.includes('system:masters');
}

function mayBind(authorize: Authorizer, user: UserInfo, roleRef: RoleRef, namespace: string): boolean {
  const resource = roleRef.kind === 'Role' ? 'roles' : 'clusterroles';
  return may(authorize, user, { verb: 'bind', resource, namespace, name: roleRef.name });
}

function may(authorize: Authorizer, user: UserInfo, asked: { verb: string; resource: string; namespace: string; name: string }): boolean {
  const attributes: AccessAttributes = { user, isResourceRequest: true, group, version: 'v1', subresource: '', path: '', ...asked };
  return authorize(attributes).decision === 'allow';
}

function confirm(
  rbac: Rbac,
  user: UserInfo,
  namespace: string,
  wanted: readonly PolicyRule[],
  target: { plural: string; name: string },
): void {
  const { rules: owned, errors } = rbac.rulesFor(user, namespace);
  const lacking = wanted.flatMap(breakDown).filter((rule) => !owned.some((own) => covers(own, rule)));
  if (lacking.length === 0) return;
  const descriptions = [...new Set(compact(lacking).map(describeRule))].sort();
  const who = `user ${JSON.stringify(user.name)} (groups=${quoteList(user.groups)})`;
  const unresolved = errors.length > 0 ? `; resolution errors: [${errors.join(' ')}]` : '';
  const detail = `${who} is attempting to grant RBAC permissions not currently held:\n${descriptions.join('\n')}${unresolved}`;
  throw forbidden({ group, plural: target.plural }, target.name, detail);
}

/** One rule for each single thing that a rule allows. */
function breakDown(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? []) parts.push({ verbs: [verb], nonResourceURLs: [url] });
    for (const apiGroup of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const single: PolicyRule = { verbs: [verb], apiGroups: [apiGroup], resources: [resource] };
        if (!rule.resourceNames?.length) parts.push(single);
        for (const name of rule.resourceNames ?? []) parts.push({ ...single, resourceNames: [name] });
      }
    }
  }
  return parts;
}

function covers(own: PolicyRule, single: PolicyRule): boolean {
  if (!holdsAll(own.verbs, single.verbs)) return false;
  if (single.nonResourceURLs) return single.nonResourceURLs.every((url) => coversUrl(own.nonResourceURLs ?? [], url));
  return (
    holdsAll(own.apiGroups ?? [], single.apiGroups!) &&
    single.resources!.every((resource) => coversResource(own.resources ?? [], resource)) &&
    (!own.resourceNames?.length || (single.resourceNames !== undefined && holdsAll(own.resourceNames, single.resourceNames, false)))
  );
}

function holdsAll(own: readonly string[], wanted: readonly string[], star = true): boolean {
  return (star && own.includes('*')) || wanted.every((item) => own.includes(item));
}

function coversResource(own: readonly string[], resource: string): boolean {
  const slash = resource.indexOf('/');
  return own.includes('*') || own.includes(resource) || (slash > 0 && own.includes(`*${resource.slice(slash)}`));
}

function coversUrl(own: readonly string[], url: string): boolean {
  return own.some((pattern) => pattern === '*' || pattern === url || (pattern.endsWith('*') && url.startsWith(pattern.slice(0, -1))));
}

/** Puts verbs of the same resource together, as upstream does for messages. */
function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const compacted = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const key = rule.nonResourceURLs ? JSON.stringify(rule) : JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames]);
    const known = compacted.get(key);
    if (!known) compacted.set(key, rule);
    else if (!rule.nonResourceURLs) compacted.set(key, { ...known, verbs: [...new Set([...known.verbs, ...rule.verbs])] });
  }
  return [...compacted.values()];
}
