// Aggregated roles on a real API server, with the rights that upstream's controller has.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { ClusterRole, PolicyRule } from '#api/generated/rbac-v1.ts';
import { clusterroles } from '#api/generated/resources.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { startTestCluster } from '#root/test/support/controllers-cluster.ts';
import { clusterRoleAggregation } from './controller.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([clusterRoleAggregation]);
});
afterEach(() => cluster.stop());

const widgets: PolicyRule = { apiGroups: ['example.com'], resources: ['widgets'], verbs: ['get'] };
const part = (name: string, labels: Record<string, string>, rules: PolicyRule[] = [widgets]): ClusterRole => ({
  metadata: { name, labels },
  rules,
});
const gathering = (name: string, label: string, labels = {}): ClusterRole => ({
  metadata: { name, labels },
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] },
  rules: [],
});
const create = async (...roles: ClusterRole[]) => {
  for (const role of roles) await cluster.client.create(clusterroles, role);
  await cluster.settle();
};
const rulesOf = async (name: string) => (await cluster.client.get(clusterroles, { name })).rules ?? [];
const hasWidgets = async (name: string) => (await rulesOf(name)).some(({ resources }) => resources?.includes('widgets'));

test('a role for view gives its rules to view, edit and admin, which gather one from the other', async () => {
  await create(part('widgets', { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }));
  assert.deepEqual(await Promise.all(['view', 'edit', 'admin', 'cluster-admin'].map(hasWidgets)), [true, true, true, false]);
});

test('rules go again with the role that brought them, with its label, and nothing else goes', async () => {
  await create(
    gathering('all', 'to-all'),
    part('one', { 'to-all': 'true' }),
    part('two', { 'to-all': 'true' }, [{ ...widgets, verbs: ['list'] }]),
  );
  assert.deepEqual(await rulesOf('all'), [widgets, { ...widgets, verbs: ['list'] }]);
  await cluster.client.delete(clusterroles, { name: 'one' });
  await cluster.settle();
  assert.deepEqual(await rulesOf('all'), [{ ...widgets, verbs: ['list'] }]);
  await cluster.client.patch(clusterroles, { name: 'two' }, { type: 'merge', body: { metadata: { labels: { 'to-all': null } } } } as never);
  await cluster.settle();
  assert.deepEqual(await rulesOf('all'), []);
});

test('rules that somebody wrote into a gathering role do not stay', async () => {
  await create({ ...gathering('all', 'to-all'), rules: [widgets] });
  assert.deepEqual(await rulesOf('all'), []);
});

test('a start on settled roles writes nothing', async () => {
  const before = await cluster.client.get(clusterroles, { name: 'admin' });
  await cluster.settle();
  assert.equal((await cluster.client.get(clusterroles, { name: 'admin' })).metadata.resourceVersion, before.metadata.resourceVersion);
  assert.equal(before.metadata.managedFields, undefined);
});
