// RBAC over the bootstrap objects and a few of our own: who may do what, and the words of a refusal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessAttributes, UserInfo } from '#api/meta/access.ts';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '#api/generated/rbac-v1.ts';
import { ApiError } from '#api/meta/errors.ts';
import { bootstrapObjects, reconcile } from './bootstrap.ts';
import { authorizeSuperuser, chainAuthorizers } from './chain.ts';
import { denial } from './denial.ts';
import { createEscalationGuard } from './escalation.ts';
import { createRbac } from './rbac.ts';

const jane: UserInfo = { name: 'jane', groups: ['dev', 'system:authenticated'] };
const asked = (more: Partial<AccessAttributes>): AccessAttributes => ({
  user: jane,
  verb: 'list',
  isResourceRequest: true,
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: 'default',
  name: '',
  path: '',
  ...more,
});
const path = (user: UserInfo, name: string) =>
  asked({ user, isResourceRequest: false, verb: 'get', path: name, resource: '', namespace: '' });

function world() {
  let version = 0;
  const of = <T>(plural: string) =>
    bootstrapObjects()
      .filter((entry) => entry.plural === plural)
      .map((entry) => entry.object as T);
  const objects = {
    clusterRoles: of<ClusterRole>('clusterroles'),
    roles: of<Role>('roles'),
    clusterRoleBindings: of<ClusterRoleBinding>('clusterrolebindings'),
    roleBindings: of<RoleBinding>('rolebindings'),
  };
  const rbac = createRbac({
    version: () => version,
    clusterRoles: () => objects.clusterRoles,
    roles: () => objects.roles,
    clusterRoleBindings: () => objects.clusterRoleBindings,
    roleBindings: () => objects.roleBindings,
  });
  const change = (run: (all: typeof objects) => void) => {
    run(objects);
    version++;
  };
  return { rbac, change };
}

const bindTo = (role: string, subject: RoleBinding['subjects'], namespace = 'default', kind = 'ClusterRole'): RoleBinding => ({
  metadata: { name: 'b', namespace },
  subjects: subject,
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
});

test('a role binding gives a group its rights in one namespace, from the moment it exists until it is gone', () => {
  const { rbac, change } = world();
  assert.deepEqual(rbac.authorize(asked({})), { decision: 'none', reason: '' });
  change((all) => all.roleBindings.push(bindTo('view', [{ kind: 'Group', name: 'dev' }])));
  assert.deepEqual(rbac.authorize(asked({})), {
    decision: 'allow',
    reason: 'RBAC: allowed by RoleBinding "b/default" of ClusterRole "view" to Group "dev"',
  });
  assert.equal(rbac.authorize(asked({ namespace: 'other' })).decision, 'none');
  assert.equal(rbac.authorize(asked({ resource: 'secrets' })).decision, 'none', 'view does not read secrets');
  change((all) => all.roleBindings.pop());
  assert.equal(rbac.authorize(asked({})).decision, 'none');
});

test('edit and admin have the rights they aggregate, and a new role joins them by its label', () => {
  const { rbac, change } = world();
  change((all) => all.roleBindings.push(bindTo('admin', [{ kind: 'ServiceAccount', name: 'app' }])));
  const app: UserInfo = { name: 'system:serviceaccount:default:app', groups: [] };
  assert.equal(rbac.authorize(asked({ user: app, resource: 'configmaps', verb: 'create' })).decision, 'allow');
  assert.equal(rbac.authorize(asked({ user: app, resource: 'pods', subresource: 'log', verb: 'get' })).decision, 'allow');
  const widgets = { user: app, group: 'example.com', resource: 'widgets' };
  assert.equal(rbac.authorize(asked(widgets)).decision, 'none');
  change((all) =>
    all.clusterRoles.push({
      metadata: { name: 'widgets', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      rules: [{ verbs: ['list'], apiGroups: ['example.com'], resources: ['widgets'] }],
    }),
  );
  assert.equal(rbac.authorize(asked(widgets)).decision, 'allow');
});

test('anybody may see health and version, and nothing else', () => {
  const { rbac } = world();
  const nobody = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
  for (const open of ['/healthz', '/livez', '/readyz', '/version'])
    assert.equal(rbac.authorize(path(nobody, open)).decision, 'allow', open);
  assert.equal(rbac.authorize(path(nobody, '/apis')).decision, 'none');
  assert.equal(rbac.authorize(path(jane, '/apis/apps/v1')).decision, 'allow');
});

test("a refusal says who, what and where in upstream's words", () => {
  const { rbac, change } = world();
  const text = (attributes: AccessAttributes) => denial(attributes, rbac.authorize(attributes).reason).message;
  assert.equal(text(asked({})), 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"');
  assert.equal(
    text(asked({ verb: 'get', namespace: '', group: 'apps', resource: 'deployments', subresource: 'scale', name: 'web' })),
    'deployments.apps "web" is forbidden: User "jane" cannot get resource "deployments/scale" in API group "apps" at the cluster scope',
  );
  assert.equal(text(path(jane, '/logs')), 'forbidden: User "jane" cannot get path "/logs"');
  change((all) => all.roleBindings.push(bindTo('gone', [{ kind: 'User', name: 'jane' }], 'default', 'Role')));
  assert.match(text(asked({})), /: RBAC: role\.rbac\.authorization\.k8s\.io "gone" not found$/);
});

test('the chain asks in order and superusers need no binding', () => {
  const { rbac } = world();
  const authorize = chainAuthorizers([authorizeSuperuser, () => ({ decision: 'none', reason: 'EKS does not know you' }), rbac.authorize]);
  assert.equal(authorize(asked({ user: { name: 'root', groups: ['system:masters'] } })).decision, 'allow');
  assert.deepEqual(authorize(asked({})), { decision: 'none', reason: 'EKS does not know you' });
});

test('nobody grants or binds more than they have', () => {
  const { rbac, change } = world();
  const guard = createEscalationGuard(rbac, chainAuthorizers([authorizeSuperuser, rbac.authorize]));
  change((all) => all.roleBindings.push(bindTo('edit', [{ kind: 'User', name: 'jane' }])));
  const role = (rules: Role['rules']): Role => ({ metadata: { name: 'r', namespace: 'default' }, rules });
  guard.checkRole(jane, role([{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'secrets'] }]), 'roles');
  assert.throws(
    () => guard.checkRole(jane, role([{ verbs: ['get', 'delete'], apiGroups: [''], resources: ['nodes', 'pods'] }]), 'roles'),
    (error) =>
      error instanceof ApiError &&
      error.message ===
        'roles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
          '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "delete"]}',
  );
  guard.checkBinding(jane, bindTo('view', [{ kind: 'User', name: 'joe' }]), 'rolebindings');
  assert.throws(
    () => guard.checkBinding(jane, bindTo('cluster-admin', [{ kind: 'User', name: 'joe' }]), 'rolebindings'),
    /not currently held/,
  );
  assert.throws(() => guard.checkBinding(jane, bindTo('nope', []), 'rolebindings'), /"nope" not found/);
  guard.checkBinding({ name: 'root', groups: ['system:masters'] }, bindTo('cluster-admin', []), 'rolebindings');
});

test('reconciling at start adds what is missing and keeps what an administrator changed', () => {
  const wanted = bootstrapObjects().find(({ object }) => object.metadata.name === 'system:basic-user')!.object as ClusterRole;
  assert.equal(reconcile(undefined, wanted), wanted);
  assert.equal(reconcile(wanted, wanted), undefined);
  const own = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
  assert.deepEqual((reconcile({ ...wanted, rules: [own] } as ClusterRole, wanted) as ClusterRole).rules, [own, ...wanted.rules!]);
  const leftAlone = {
    ...wanted,
    rules: [],
    metadata: { ...wanted.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
  };
  assert.equal(reconcile(leftAlone, wanted), undefined);
});
