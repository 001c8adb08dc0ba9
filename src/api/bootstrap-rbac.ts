// The roles and bindings that every cluster starts with, as upstream's API server creates them.
import entries from './generated/bootstrap-rbac.json' with { type: 'json' };
import type { ObjectMeta } from './generated/meta-v1.ts';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from './generated/rbac-v1.ts';

export interface BootstrapRbac {
  clusterRoles: ClusterRole[];
  clusterRoleBindings: ClusterRoleBinding[];
  roles: Role[];
  roleBindings: RoleBinding[];
}

interface Entry {
  kind: string;
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  aggregates?: Record<string, string>[];
  rules?: PolicyRule[];
  roleRef?: string;
  subjects?: string[];
}

const group = 'rbac.authorization.k8s.io';

/** Fresh objects at each call: the caller owns them. Aggregated roles come with their rules still empty. */
export function bootstrapRbac(): BootstrapRbac {
  const all = entries as Entry[];
  const ofKind = (kind: string) => all.filter((entry) => entry.kind === kind);
  return {
    clusterRoles: ofKind('ClusterRole').map((entry) => ({ ...roleOf(entry), ...aggregationOf(entry) })),
    clusterRoleBindings: ofKind('ClusterRoleBinding').map(bindingOf),
    roles: ofKind('Role').map(roleOf),
    roleBindings: ofKind('RoleBinding').map(bindingOf),
  };
}

function roleOf(entry: Entry): Role {
  return { ...headOf(entry), rules: structuredClone(entry.rules ?? []) };
}

function aggregationOf({ aggregates }: Entry): Pick<ClusterRole, 'aggregationRule'> {
  return aggregates === undefined
    ? {}
    : { aggregationRule: { clusterRoleSelectors: aggregates.map((matchLabels) => ({ matchLabels: { ...matchLabels } })) } };
}

function bindingOf(entry: Entry): RoleBinding {
  const [kind, name] = splitOnce(entry.roleRef!, '/');
  return { ...headOf(entry), subjects: entry.subjects!.map(subjectOf), roleRef: { apiGroup: group, kind, name } };
}

function subjectOf(text: string): Subject {
  const [kind, rest] = splitOnce(text, ':');
  if (kind !== 'ServiceAccount') return { kind, apiGroup: group, name: rest };
  const [namespace, name] = splitOnce(rest, '/');
  return { kind, name, namespace };
}

function headOf({ kind, name, namespace, labels }: Entry): { apiVersion: string; kind: string; metadata: ObjectMeta } {
  return {
    apiVersion: `${group}/v1`,
    kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
      // Reconciliation at start leaves objects alone whose owner set this to false.
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
    },
  };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}
