// The generated tables and their accessors: whole, and consistent with one another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrapRbac } from './bootstrap-rbac.ts';
import { fieldLabels } from './field-labels.ts';
import * as constants from './generated/resources.ts';
import { printerColumns } from './printer-columns.ts';
import { allResources, resourceInfo } from './resources.ts';
import { fieldAt, innermost, messageForKind, messageOf } from './schema.ts';

test('every field of every served kind leads to a known message', () => {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const field of messageOf(name).fields.values()) {
      const inner = innermost(field.type);
      if ('message' in inner) visit(inner.message);
      else if ('scalar' in inner)
        assert.match(
          inner.scalar,
          /^(string|integer|int64|number|boolean|bytes|quantity|intOrString|time|microtime|duration|raw|object)$/,
          `${name}.${field.name}`,
        );
    }
  };
  for (const { group, version, kind, served } of allResources) {
    if (served === 'off') continue;
    const message = messageForKind(group === '' ? version : `${group}/${version}`, kind);
    assert(message, kind);
    visit(message.name);
  }
  assert(seen.size > 400);
});

test('the schema tells types, numbers and patch strategies, embedded fields included', () => {
  const pod = messageForKind('v1', 'Pod')!;
  assert.deepEqual(fieldAt(pod, ['spec', 'containers'])?.patchMergeKey, 'name');
  assert.deepEqual(fieldAt(pod, ['spec', 'volumes'])?.patchStrategy, ['merge', 'retainKeys']);
  assert.equal(fieldAt(pod, ['spec', 'volumes', 'hostPath'])?.number, 1);
  assert.deepEqual(messageOf('core/v1.Volume').embedded, [{ message: 'core/v1.VolumeSource', number: 2 }]);
  assert.equal(fieldAt(pod, ['spec', 'nope']), undefined);
  assert.equal(messageForKind('v1', 'Nope'), undefined);
  assert.equal(messageForKind('v1', 'DeleteOptions')?.name, 'meta/v1.DeleteOptions');
});

test('every constant has its row, with the flags of its registry', () => {
  for (const constant of Object.values(constants)) assert.equal(resourceInfo(constant)?.kind, constant.kind);
  const unstored = allResources.filter((info) => info.verbs.includes('update') && info.strategy === undefined);
  assert.deepEqual(unstored, []);
  assert.equal(resourceInfo(constants.leases)?.strategy?.allowCreateOnUpdate, true);
  assert.equal(resourceInfo(constants.jobs)?.strategy?.defaultDeletePropagation, 'Orphan');
  assert.equal(resourceInfo(constants.pods)?.strategy?.gracefulDelete, true);
  assert.equal(resourceInfo(constants.endpointslices)?.strategy?.generationBump, 'notMetadataOrLabels');
  const scale = resourceInfo(constants.deployments)?.subresources.find(({ name }) => name === 'scale');
  assert.deepEqual(scale, { name: 'scale', kind: 'Scale', bodyGroup: 'autoscaling', bodyVersion: 'v1', verbs: ['get', 'patch', 'update'] });
});

test('columns and field labels are found by kind', () => {
  assert.deepEqual(
    printerColumns('', 'Pod')?.map(({ name }) => name),
    ['Name', 'Ready', 'Status', 'Restarts', 'Age', 'IP', 'Node', 'Nominated Node', 'Readiness Gates'],
  );
  assert.equal(printerColumns('events.k8s.io', 'Event')?.length, 10);
  assert(fieldLabels('', 'Pod').includes('spec.nodeName'));
  assert.deepEqual(fieldLabels('apps', 'Deployment'), ['metadata.name', 'metadata.namespace']);
});

test('the bootstrap roles are whole objects, fresh at each call', () => {
  const { clusterRoles, clusterRoleBindings, roles, roleBindings } = bootstrapRbac();
  const admin = clusterRoles.find((role) => role.metadata.name === 'cluster-admin');
  assert.deepEqual(admin?.rules, [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ]);
  const aggregated = clusterRoles.find((role) => role.metadata.name === 'view');
  assert.deepEqual(aggregated?.aggregationRule, {
    clusterRoleSelectors: [{ matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } }],
  });
  const binding = clusterRoleBindings.find(({ metadata }) => metadata.name === 'system:controller:replicaset-controller');
  assert.deepEqual(binding?.subjects, [{ kind: 'ServiceAccount', name: 'replicaset-controller', namespace: 'kube-system' }]);
  assert.deepEqual(binding?.roleRef, {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'system:controller:replicaset-controller',
  });
  for (const each of [...clusterRoleBindings, ...roleBindings]) {
    const target =
      each.roleRef.kind === 'Role' ? roles.filter((role) => role.metadata.namespace === each.metadata.namespace) : clusterRoles;
    assert(
      target.some((role) => role.metadata.name === each.roleRef.name),
      each.metadata.name,
    );
  }
  admin!.rules = [];
  assert.equal(bootstrapRbac().clusterRoles.find((role) => role.metadata.name === 'cluster-admin')?.rules?.length, 2);
});
