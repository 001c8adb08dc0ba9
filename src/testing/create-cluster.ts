// keks/testing: a whole cluster in this process, for test suites. Memory store, simulated nodes, no sockets; optionally on a virtual clock.
import { generateKeyPairSync } from 'node:crypto';
import type { DecodedValues } from '#apiserver/cache/world.ts';
import type { Client } from '#client/client.ts';
import type { LocalVolumes } from '#controllers/local-volume-provisioner/controller.ts';
import type { Clock } from '#lib/clock.ts';
import { systemClock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import { silentLog } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { systemRandom } from '#lib/random.ts';
import type { MemoryStore } from '#store/memory.ts';
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
  /**
   * A second cluster that goes on from what this one holds now: same objects, revisions and keys, same nodes with their pods
   * running. Neither sees what is written to the other from here on. Only a cluster with a memory store can be forked.
   */
  fork(options?: ForkOptions): Promise<TestCluster>;
  stop(): Promise<void>;
}

/** What is not given is the source's own. */
export type ForkOptions = Pick<CreateClusterOptions, 'clock' | 'random' | 'log' | 'volumes'>;

/** What the clusters of a line of forks have in common. */
interface Lineage {
  serviceAccountKey: string;
  decoded: DecodedValues;
}

export async function createCluster(options: CreateClusterOptions = {}): Promise<TestCluster> {
  const { nodes = 1, store = createMemoryStore() } = options;
  const { cluster, simulated } = await start(options, store, { serviceAccountKey: newSigningKey(), decoded: new WeakMap() });
  const wanted = typeof nodes === 'number' ? Array.from({ length: nodes }, () => ({})) : nodes;
  for (const node of wanted) await simulated.add(node);
  return cluster;
}

async function start(options: CreateClusterOptions, store: Store, lineage: Lineage) {
  const { clock = systemClock, random = systemRandom, log = silentLog } = options;
  const cluster = await startCluster({
    store,
    clock,
    random,
    logOf: (component) => log.with({ component }),
    ...lineage,
    rootCa,
    ...(options.volumes && { volumes: options.volumes }),
    issuer: 'https://kubernetes.default.svc.cluster.local',
  });
  const simulated = createSimulatedNodes({ cluster, clock, random });
  const stop = async () => {
    await cluster.stop();
    if (options.store === undefined) await store.close();
  };
  const fork = async (own: ForkOptions = {}) => {
    const { store: _, ...inherited } = { ...options, ...own };
    const forked = await start(inherited, forkOf(store), lineage);
    // All at once: none takes the address of a pod that another one has not taken up yet.
    await Promise.all(simulated.settings().map((settings) => forked.simulated.adopt(settings)));
    return forked.cluster;
  };
  const testCluster: TestCluster = { client: cluster.admin, cluster, addNode: simulated.add, fork, stop, [Symbol.asyncDispose]: stop };
  return { cluster: testCluster, simulated };
}

function forkOf(store: Store): MemoryStore {
  if (!('fork' in store)) throw new Error('only a cluster with a memory store can be forked');
  return (store as MemoryStore).fork();
}

function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}
