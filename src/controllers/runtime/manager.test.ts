// The controller manager: one of several leads, each controller is itself, and what it does is counted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { leases, namespaces, nodes, serviceaccounts } from '#api/generated/resources.ts';
import { isReason } from '#api/meta/errors.ts';
import { silentLog } from '#lib/log.ts';
import { seededRandom } from '#lib/random.ts';
import { controllers } from '../all.ts';
import { serviceAccountController } from '../serviceaccount/controller.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { startTestCluster } from '#root/test/support/controllers-cluster.ts';
import type { Controller } from './controller.ts';
import { startControllerManager } from './manager.ts';

function startManager(cluster: TestCluster, identity: string, controllers: Controller[], registry?: Registry) {
  const { client, clock } = cluster;
  const common = { clock, random: seededRandom(identity.length), log: silentLog, resources: cluster.resources, registry };
  return startControllerManager({ client, clientFor: () => client, controllers, leaderElection: { identity }, ...common });
}

test('of two managers one works; when it stops the other takes over at once', async () => {
  const cluster = await startTestCluster([]);
  const working = new Set<string>();
  const named = (name: string): Controller => ({
    name,
    serviceAccount: name,
    start() {
      working.add(name);
      return { stop: async () => void working.delete(name) };
    },
  });
  const first = startManager(cluster, 'first', [named('a')]);
  await first.started;
  const second = startManager(cluster, 'second!', [named('b')]);
  await cluster.clock.advance(60_000);
  assert.deepEqual([...working], ['a']);
  const lease = await cluster.client.get(leases, { namespace: 'kube-system', name: 'kube-controller-manager' });
  assert.equal(lease.spec.holderIdentity, 'first');
  await first.stop();
  await cluster.clock.advance(6_000);
  assert.deepEqual([...working], ['b']);
  await second.stop();
  await cluster.stop();
});

test('a controller acts with its own rights only', async () => {
  let refused: unknown;
  const curious: Controller = {
    name: 'curious',
    serviceAccount: 'service-account-controller',
    start({ client }) {
      const attempt = client.delete(nodes, { name: 'n' }).catch((error: unknown) => (refused = error));
      return { stop: async () => void (await attempt) };
    },
  };
  const cluster = await startTestCluster([curious]);
  await cluster.stop();
  assert.ok(isReason(refused, 'Forbidden'), String(refused));
});

test("work is counted under upstream's names", async () => {
  const cluster = await startTestCluster([]);
  const registry = new Registry();
  const manager = startManager(cluster, 'one', [serviceAccountController], registry);
  await manager.started;
  await cluster.settle();
  const text = await registry.metrics();
  assert.match(text, /workqueue_adds_total\{name="serviceaccount"\} [1-9]/);
  assert.match(text, /controller_runtime_reconcile_total\{controller="serviceaccount",result="success"\} [1-9]/);
  await manager.stop();
  assert.equal((await cluster.list(serviceaccounts)).length, 1);
  const again = startManager(cluster, 'two', [serviceAccountController], registry);
  await cluster.clock.advance(5_000);
  await again.started;
  await again.stop();
  await cluster.stop();
});

test('after stop nothing is done any more and no timer is left', async () => {
  const cluster = await startTestCluster([]);
  const timers = cluster.clock.pending;
  const manager = startControllerManager({
    client: cluster.client,
    clientFor: () => cluster.client,
    controllers,
    clock: cluster.clock,
    random: seededRandom(1),
    log: silentLog,
    resources: cluster.resources,
  });
  await cluster.settle();
  await manager.stop();
  assert.equal(cluster.clock.pending, timers);
  await cluster.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'late' }, spec: {} });
  await cluster.settle();
  assert.deepEqual(await cluster.list(serviceaccounts, 'late'), []);
  await cluster.stop();
});
