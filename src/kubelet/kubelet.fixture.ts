// One simulated node against a whole API server on the memory store, all on one virtual clock.
import type { Container, Pod, PodSpec } from '#api/generated/core-v1.ts';
import { events, pods } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { clusterNamespaces } from '../apiserver/cluster-objects.ts';
import { resourceRules } from '../apiserver/resources/all.ts';
import { createApiServer } from '../apiserver/server.ts';
import { createMemoryStore } from '../store/memory.ts';
import type { Client } from '#client/client.ts';
import { toTime } from '#lib/clock.ts';
import { silentLog } from '#lib/log.ts';
import { seededRandom } from '#lib/random.ts';
import type { VirtualClock } from '#lib/virtual-clock.ts';
import { virtualClock } from '#lib/virtual-clock.ts';
import type { Kubelet, KubeletOptions } from './kubelet.ts';
import { createKubelet } from './kubelet.ts';
import type { ContainerRuntime } from './runtime/runtime.ts';
import type { AddressAllocator } from './runtime/simulated/simulated-runtime.ts';
import { createSimulatedRuntime } from './runtime/simulated/simulated-runtime.ts';

export interface TestNode {
  client: Client;
  clock: VirtualClock;
  kubelet: Kubelet;
  runtime: ContainerRuntime;
  options: KubeletOptions;
  create(name: string, spec: Partial<PodSpec>, annotations?: Record<string, string>): Promise<Pod>;
  pod(name: string): Promise<Pod | undefined>;
  /** Reasons and messages, in the order they were first told. */
  events(name: string): Promise<string[]>;
  stop(): Promise<void>;
}

export function addressPool(prefix: string): AddressAllocator {
  const used = new Set<string>();
  return {
    allocate(wanted) {
      if (wanted !== undefined && !used.has(wanted)) {
        used.add(wanted);
        return wanted;
      }
      let last = 1;
      while (used.has(`${prefix}.${last}`)) last++;
      used.add(`${prefix}.${last}`);
      return `${prefix}.${last}`;
    },
    release: (ip) => void used.delete(ip),
  };
}

export const container = (name: string, fields: Partial<Container> = {}): Container => ({ name, image: 'nginx:1.27', ...fields });

export async function startTestNode(changes: Partial<KubeletOptions> & { clock?: VirtualClock } = {}): Promise<TestNode> {
  const clock = changes.clock ?? virtualClock();
  const random = seededRandom(7);
  const admin = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };
  const server = createApiServer({
    store: createMemoryStore(),
    clock,
    random,
    log: silentLog,
    rules: resourceRules,
    bootstrap: clusterNamespaces(),
    security: () => ({
      authenticate: () => Promise.resolve(admin),
      authorize: () => ({ decision: 'allow', reason: '' }),
      issueToken({ account, tokenRequest }) {
        const { boundObjectRef, expirationSeconds = 3600 } = tokenRequest.spec;
        const expirationTimestamp = toTime(clock.now() + expirationSeconds * 1000);
        const token = `token for ${boundObjectRef?.kind} ${boundObjectRef?.name} of ${account.metadata.name} until ${expirationTimestamp}`;
        return Promise.resolve({ ...tokenRequest, status: { token, expirationTimestamp } });
      },
    }),
  });
  await server.start();
  const client = server.loopback(admin);
  const runtime = changes.runtime ?? createSimulatedRuntime({ clock, random, addresses: addressPool('10.0.1') });
  const options: KubeletOptions = {
    node: {
      name: 'node-1',
      addresses: [{ type: 'InternalIP', address: '10.0.0.10' }],
      capacity: { cpu: '2', memory: '4Gi', pods: '10', 'ephemeral-storage': '20Gi' },
      reserved: { cpu: '70m', memory: '574Mi' },
      kubeletVersion: 'v1.36.0',
    },
    client,
    runtime,
    clock,
    random,
    log: silentLog,
    directories: { pods: '/nonexistent', logs: '/nonexistent' },
    ...changes,
  };
  const kubelet = await createKubelet(options);
  await kubelet.start();
  return {
    client,
    clock,
    kubelet,
    runtime,
    options,
    create: (name, spec, annotations = {}) =>
      client.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', annotations },
        spec: { nodeName: 'node-1', automountServiceAccountToken: false, containers: [container('main')], ...spec },
      }),
    async pod(name) {
      try {
        return await client.get(pods, { namespace: 'default', name });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async events(name) {
      const { items } = await client.list(events, { namespace: 'default' });
      return items.filter((event) => event.involvedObject.name === name).map((event) => `${event.reason}: ${event.message}`);
    },
    async stop() {
      await kubelet.stop();
      await runtime.close();
      await server.stop();
    },
  };
}
