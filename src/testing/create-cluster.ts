// keks/testing: a whole cluster in this process, for test suites. Memory store, simulated nodes, no sockets; optionally on a virtual clock.
import { generateKeyPairSync } from 'node:crypto';
import type { Client } from '#client/client.ts';
import type { LocalVolumes } from '#controllers/local-volume-provisioner/controller.ts';
import type { Clock } from '#lib/clock.ts';
import { systemClock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import { silentLog } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { systemRandom } from '#lib/random.ts';
import { createMemoryStore } from '#store/memory.ts';
import type { Store } from '#store/store.ts';
import type { Cluster } from '#cluster.ts';
import { startCluster } from '#cluster.ts';
import { createSimulatedNodes } from '#simulated-nodes.ts';
import { rootCa } from './root-ca.ts';

export interface CreateClusterOptions {
  /** How many nodes, or which. Default 1. */
  nodes?: number | readonly TestNode[];
  /** Only `simulated` runs inside a test process. */
  runtime?: 'simulated';
  /** Default: the machine's own time. */
  clock?: Clock;
  random?: Random;
  log?: Log;
  /** Default: a new memory store. The cluster does not close a store that it was given. */
  store?: Store;
  /** Gives the cluster a default storage class that makes its volumes there. */
  volumes?: LocalVolumes;
}

export interface TestNode {
  name?: string;
  cpu?: string;
  memory?: string;
  pods?: string;
  labels?: Record<string, string>;
  taints?: { key: string; value?: string; effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' }[];
}

export interface TestCluster extends AsyncDisposable {
  /** May do everything. */
  readonly client: Client;
  /** The components, for what the client does not show. */
  readonly cluster: Cluster;
  addNode(node?: TestNode): Promise<string>;
  stop(): Promise<void>;
}

export async function createCluster(options: CreateClusterOptions = {}): Promise<TestCluster> {
  const { clock = systemClock, random = systemRandom, log = silentLog, nodes = 1 } = options;
  const store = options.store ?? createMemoryStore();
  const cluster = await startCluster({
    store,
    clock,
    random,
    logOf: (component) => log.with({ component }),
    serviceAccountKey: newSigningKey(),
    rootCa,
    ...(options.volumes && { volumes: options.volumes }),
    issuer: 'https://kubernetes.default.svc.cluster.local',
  });
  const simulated = createSimulatedNodes({ cluster, clock, random });
  const wanted = typeof nodes === 'number' ? Array.from({ length: nodes }, () => ({})) : nodes;
  for (const node of wanted) await simulated.add(node);
  const stop = async () => {
    await cluster.stop();
    if (options.store === undefined) await store.close();
  };
  return { client: cluster.admin, cluster, addNode: simulated.add, stop, [Symbol.asyncDispose]: stop };
}

function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}
