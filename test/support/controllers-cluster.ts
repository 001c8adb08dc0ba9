// A real API server on the memory store and a virtual clock, with chosen controllers on it: what the controllers' tests run in.
import type { Deployment } from '#api/generated/apps-v1.ts';
import type { Node, Pod, PodTemplateSpec } from '#api/generated/core-v1.ts';
import { clusterrolebindings, clusterroles, nodes, pods, rolebindings, roles } from '#api/generated/resources.ts';
import type { UserInfo } from '#api/meta/access.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { clusterNamespaces } from '#apiserver/cluster-objects.ts';
import { resourceRules } from '#apiserver/resources/all.ts';
import { rbacBootstrapObjects } from '#apiserver/authz/bootstrap-objects.ts';
import { createRbac } from '#apiserver/authz/rbac.ts';
import type { ApiServer, Security } from '#apiserver/server.ts';
import { createApiServer } from '#apiserver/server.ts';
import type { Client } from '#client/client.ts';
import { toTime } from '#lib/clock.ts';
import { silentLog } from '#lib/log.ts';
import { seededRandom } from '#lib/random.ts';
import type { VirtualClock } from '#lib/virtual-clock.ts';
import { virtualClock } from '#lib/virtual-clock.ts';
import { createMemoryStore } from '#store/memory.ts';
import type { Controller } from '#controllers/runtime/controller.ts';
import { startControllerManager } from '#controllers/runtime/manager.ts';

const admin: UserInfo = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

export interface TestCluster {
  client: Client;
  clock: VirtualClock;
  /** To be put behind a port. */
  handle: ApiServer['handle'];
  resources: ResourceType[];
  list<T extends KubeObject>(resource: ResourceType<T>, namespace?: string): Promise<T[]>;
  /** Lets the controllers work until nothing changes any more, without time passing but for retries. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTestCluster(controllers: readonly Controller[], admission: Security['admission'] = []): Promise<TestCluster> {
  const clock = virtualClock();
  const random = seededRandom(1);
  const rules = resourceRules;
  const server = createApiServer({
    store: createMemoryStore(),
    clock,
    random,
    log: silentLog,
    rules,
    bootstrap: [...clusterNamespaces(), ...rbacBootstrapObjects()],
    // The real roles: a controller that asks for more than upstream grants it fails here.
    security: (view) => ({
      authenticate: async () => admin,
      admission,
      authorize: createRbac({
        version: () => view.versionOf(clusterroles, clusterrolebindings, roles, rolebindings),
        clusterRoles: () => view.cachedList(clusterroles),
        clusterRoleBindings: () => view.cachedList(clusterrolebindings),
        roles: () => view.cachedList(roles),
        roleBindings: () => view.cachedList(rolebindings),
      }).authorize,
    }),
  });
  await server.start();
  const resources = rules.map(({ resource }) => resource);
  const client = server.loopback(admin);
  const userFor = (name: string): UserInfo => ({
    name: `system:serviceaccount:kube-system:${name}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
  });
  const manager = startControllerManager({
    client: server.loopback({ name: 'system:kube-controller-manager', groups: ['system:authenticated'] }),
    clientFor: (name) => server.loopback(userFor(name)),
    controllers,
    clock,
    random,
    log: silentLog,
    resources,
    rootCa: 'CERTIFICATE',
  });
  const settle = async (): Promise<void> => {
    for (let before = -1; before !== server.revision; ) {
      before = server.revision;
      for (let round = 0; round < 20; round++) await clock.advance(2);
    }
  };
  await settle();
  return {
    client,
    clock,
    handle: server.handle,
    resources,
    list: async (resource, namespace = 'default') =>
      (await client.list(resource, { namespace: resource.namespaced ? namespace : undefined })).items,
    settle,
    async stop() {
      await manager.stop();
      await server.stop();
    },
  };
}

export function template(image = 'nginx:1', labels: Record<string, string> = { app: 'web' }): PodTemplateSpec {
  return { metadata: { labels }, spec: { containers: [{ name: 'web', image, ports: [{ name: 'http', containerPort: 80 }] }] } };
}

export function deployment(name: string, spec: Partial<Deployment['spec']> = {}): Deployment {
  const selector = { matchLabels: { app: 'web' } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: { replicas: 3, selector, template: template(), ...spec },
  };
}

export function pod(name: string, labels: Record<string, string> = { app: 'web' }, more: { metadata?: object; spec?: object } = {}): Pod {
  const { spec } = template();
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels, ...more.metadata },
    spec: { ...spec!, ...more.spec },
  };
}

/** Plays the scheduler and the kubelet: puts pods on a node and reports them. */
export async function report(
  cluster: TestCluster,
  which: readonly Pod[],
  { ready = true, node = 'node-1', phase = 'Running' }: { ready?: boolean; node?: string; phase?: string } = {},
): Promise<void> {
  const { client, clock } = cluster;
  for (const { metadata } of which) {
    const ref = { namespace: metadata.namespace, name: metadata.name! };
    let current = await client.get(pods, ref);
    if (!current.spec.nodeName) {
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { ...ref }, target: { kind: 'Node', name: node } };
      await client.create(pods as ResourceType, binding, { subresource: 'binding' }, ref);
      current = await client.get(pods, ref);
    }
    const ip = `10.0.0.${(Number.parseInt(current.metadata.uid!.slice(0, 6), 16) % 250) + 1}`;
    const conditions = [
      ...(current.status?.conditions ?? []).filter(({ type }) => type !== 'Ready'),
      { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: toTime(clock.now()) },
    ];
    const status = { ...current.status, phase, podIP: ip, podIPs: [{ ip }], conditions };
    await client.update(pods, { ...current, status }, { subresource: 'status' });
  }
  await cluster.settle();
}

/** Takes pods that are being deleted off their node, as their kubelet would at the end. */
export async function finishDeletions(cluster: TestCluster, namespace = 'default'): Promise<void> {
  for (const { metadata } of await cluster.list(pods, namespace)) {
    if (metadata.deletionTimestamp === undefined) continue;
    await cluster.client.delete(pods, { namespace, name: metadata.name! }, { gracePeriodSeconds: 0 });
  }
  await cluster.settle();
}

/** Runs a rollout to its end: new pods become ready, deleted ones go. */
export async function rollOut(cluster: TestCluster, namespace = 'default'): Promise<void> {
  for (let round = 0; round < 20; round++) {
    await cluster.settle();
    const all = await cluster.list(pods, namespace);
    const waiting = all.filter(
      (one) =>
        one.metadata.deletionTimestamp === undefined && one.status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True',
    );
    const going = all.filter((one) => one.metadata.deletionTimestamp !== undefined);
    if (waiting.length === 0 && going.length === 0) return;
    await report(cluster, waiting);
    await finishDeletions(cluster, namespace);
  }
  throw new Error('the rollout does not come to an end');
}

export async function addNode(cluster: TestCluster, name: string, ready: 'True' | 'False' = 'True'): Promise<Node> {
  await cluster.client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
  const now = toTime(cluster.clock.now());
  const conditions = [{ type: 'Ready', status: ready, lastHeartbeatTime: now, lastTransitionTime: now }];
  const reported = await cluster.client.patch(
    nodes,
    { name },
    { type: 'strategic', body: { status: { conditions } } },
    { subresource: 'status' },
  );
  await cluster.settle();
  return reported;
}
