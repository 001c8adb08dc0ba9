// RBAC: bindings give subjects the rules of roles. What a user may do is worked out once and kept until a role or binding changes.
import type { AccessAttributes, AccessDecision, Authorizer, UserInfo } from '#api/meta/access.ts';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject } from '#api/generated/rbac-v1.ts';
import { aggregatedRules } from '#api/rbac/aggregation.ts';
import { ruleAllows } from './rule-match.ts';

/** The roles and bindings as they stand. */
export interface RbacObjects {
  /** Another value after every change of any of them. */
  version(): number | string;
  clusterRoles(): Iterable<ClusterRole>;
  roles(): Iterable<Role>;
  clusterRoleBindings(): Iterable<ClusterRoleBinding>;
  roleBindings(): Iterable<RoleBinding>;
}

export interface Rbac {
  authorize: Authorizer;
  /** Every rule the user has in the namespace ('' for those of the whole cluster only), and what could not be found out. */
  rulesFor(user: UserInfo, namespace: string): { rules: PolicyRule[]; errors: string[] };
  /** The rules a binding in `namespace` ('' for a cluster role binding) refers to; undefined if there is no such role. */
  rulesOf(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined;
}

interface Grant {
  rules: readonly PolicyRule[] | undefined;
  roleRef: RoleRef;
  /** `ClusterRoleBinding "x" of ClusterRole "y" to User "z"` */
  description: string;
}

interface Bound {
  binding: RoleBinding | ClusterRoleBinding;
  subject: Subject;
}

/** What one user has. */
interface Access {
  cluster: Grant[];
  namespaces: Map<string, Grant[]>;
}

interface Index {
  version: number | string;
  clusterRoles: Map<string, readonly PolicyRule[]>;
  roles: Map<string, readonly PolicyRule[]>;
  bound: Map<string, Bound[]>;
  access: Map<string, Access>;
}

const maxCachedUsers = 10_000;
const noGrants: readonly Grant[] = [];

export function createRbac(objects: RbacObjects): Rbac {
  let index: Index | undefined;
  const current = (): Index => {
    const version = objects.version();
    if (index?.version !== version) index = buildIndex(objects, version);
    return index;
  };
  return {
    authorize: (attributes) => decide(accessOf(current(), attributes.user), attributes),
    rulesFor(user, namespace) {
      const grants = grantsIn(accessOf(current(), user), namespace);
      const rules = grants.flatMap((grant) => grant.rules ?? []);
      return { rules, errors: missing(grants) };
    },
    rulesOf: (roleRef, namespace) => rulesOf(current(), roleRef, namespace),
  };
}

function decide(access: Access, attributes: AccessAttributes): AccessDecision {
  const namespace = attributes.isResourceRequest ? attributes.namespace : '';
  const local = namespace === '' ? noGrants : (access.namespaces.get(namespace) ?? noGrants);
  for (const grants of [access.cluster, local]) {
    for (const grant of grants) {
      if (grant.rules?.some((rule) => ruleAllows(rule, attributes))) {
        return { decision: 'allow', reason: `RBAC: allowed by ${grant.description}` };
      }
    }
  }
  const errors = missing([...access.cluster, ...local]);
  return { decision: 'none', reason: errors.length === 0 ? '' : `RBAC: ${errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`}` };
}

function grantsIn(access: Access, namespace: string): readonly Grant[] {
  return namespace === '' ? access.cluster : [...access.cluster, ...(access.namespaces.get(namespace) ?? noGrants)];
}

/** Roles that bindings name and that do not exist. */
function missing(grants: readonly Grant[]): string[] {
  const names = grants.filter((grant) => grant.rules === undefined).map(({ roleRef }) => roleRef);
  return [...new Set(names.map(({ kind, name }) => `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`))];
}

function buildIndex(objects: RbacObjects, version: number | string): Index {
  const allClusterRoles = [...objects.clusterRoles()];
  const clusterRoles = new Map<string, readonly PolicyRule[]>();
  for (const role of allClusterRoles) {
    clusterRoles.set(role.metadata.name!, role.aggregationRule ? aggregatedRulesDeep(role, allClusterRoles) : (role.rules ?? []));
  }
  const roles = new Map<string, readonly PolicyRule[]>();
  for (const role of objects.roles()) roles.set(`${role.metadata.namespace}/${role.metadata.name}`, role.rules ?? []);
  const bound = new Map<string, Bound[]>();
  for (const list of [objects.clusterRoleBindings(), objects.roleBindings()]) {
    for (const binding of list) for (const subject of binding.subjects ?? []) addBound(bound, binding, subject);
  }
  return { version, clusterRoles, roles, bound, access: new Map() };
}

/** An aggregated role may feed another (edit → admin): the rules of its sources come first through their own aggregation. */
function aggregatedRulesDeep(role: ClusterRole, all: readonly ClusterRole[], path: readonly string[] = []): PolicyRule[] {
  const name = role.metadata.name!;
  const resolved = all.map((source) =>
    source.aggregationRule && source.metadata.name !== name && !path.includes(source.metadata.name!)
      ? { ...source, rules: aggregatedRulesDeep(source, all, [...path, name]) }
      : source,
  );
  return aggregatedRules(role, resolved);
}

function addBound(bound: Map<string, Bound[]>, binding: RoleBinding | ClusterRoleBinding, subject: Subject): void {
  const key = subjectKey(subject, binding.metadata.namespace ?? '');
  const list = bound.get(key);
  if (list) list.push({ binding, subject });
  else bound.set(key, [{ binding, subject }]);
}

function subjectKey(subject: Subject, namespace: string): string {
  if (subject.kind !== 'ServiceAccount') return `${subject.kind}:${subject.name}`;
  return `User:system:serviceaccount:${subject.namespace || namespace}:${subject.name}`;
}

function accessOf(index: Index, user: UserInfo): Access {
  const key = `${user.name}\0${user.groups.join('\0')}`;
  const known = index.access.get(key);
  if (known) return known;
  const access: Access = { cluster: [], namespaces: new Map() };
  for (const subject of [`User:${user.name}`, ...user.groups.map((group) => `Group:${group}`)]) {
    for (const bound of index.bound.get(subject) ?? []) addGrant(index, access, bound);
  }
  if (index.access.size >= maxCachedUsers) index.access.clear();
  index.access.set(key, access);
  return access;
}

function addGrant(index: Index, access: Access, { binding, subject }: Bound): void {
  const { roleRef } = binding;
  const namespace = binding.metadata.namespace ?? '';
  const grant: Grant = { rules: rulesOf(index, roleRef, namespace), roleRef, description: describeBinding(binding, subject) };
  const grants = namespace === '' ? access.cluster : (access.namespaces.get(namespace) ?? []);
  grants.push(grant);
  if (namespace !== '') access.namespaces.set(namespace, grants);
}

function rulesOf(index: Index, roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
  return roleRef.kind === 'Role' ? index.roles.get(`${namespace}/${roleRef.name}`) : index.clusterRoles.get(roleRef.name);
}

function describeBinding(binding: RoleBinding | ClusterRoleBinding, subject: Subject): string {
  const { name, namespace } = binding.metadata;
  const what = namespace ? `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}` : `ClusterRoleBinding ${JSON.stringify(name)}`;
  const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || namespace}` : subject.name;
  return `${what} of ${binding.roleRef.kind} ${JSON.stringify(binding.roleRef.name)} to ${subject.kind} ${JSON.stringify(who)}`;
}
