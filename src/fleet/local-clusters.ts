// EKS' clusters made real in this process: each with a SQLite store, keys and logs of its own, and nodes of the provider.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nodes as nodeResource } from '#api/generated/resources.ts';
import type { Node } from '#api/generated/core-v1.ts';
import { copyOf } from '#api/meta/object.ts';
import type { RotatedFile } from '#apiserver/audit/rotated-file.ts';
import { openRotatedFile } from '#apiserver/audit/rotated-file.ts';
import type { ClusterHost, ClusterSpec, NodeChange, RunningCluster } from '#eks/clusters/host.ts';
import type { Clock } from '#lib/clock.ts';
import { writeDurably } from '#lib/durable-file.ts';
import type { Log } from '#lib/log.ts';
import { fileLog } from '#lib/file-log.ts';
import type { Random } from '#lib/random.ts';
import type { SqliteThread } from '#store/sqlite-thread.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import type { ClusterIdentity } from '#cluster-identity.ts';
import { createClusterIdentity } from '#cluster-identity.ts';
import type { Cluster } from '#cluster.ts';
import { startCluster } from '#cluster.ts';
import { drain } from './drain.ts';
import type { Home } from './home.ts';
import type { ClusterPlace, NodeProvider } from './node-provider.ts';
import { nodeSettingsOf } from './node-settings.ts';
import { untilReady } from './until-ready.ts';

interface LocalCluster extends ClusterPlace {
  cluster: Cluster;
  store: Store;
  audit: RotatedFile;
  spec: ClusterSpec;
}

export interface LocalClusters extends ClusterHost {
  readonly running: ReadonlyMap<string, LocalCluster>;
  /** Stops everything and keeps all state. */
  stop(): Promise<void>;
}

export interface LocalClustersOptions {
  home: Home;
  thread: SqliteThread;
  provider: NodeProvider;
  clock: Clock;
  random: Random;
  log: Log;
}

export function localClusters(options: LocalClustersOptions): LocalClusters {
  const { home, provider, clock } = options;
  const running = new Map<string, LocalCluster>();
  const placeOf = ({ name, id }: { name: string; id: string }): ClusterPlace => ({ name, id, directory: join(home.clustersState, id) });
  const existing = (name: string): LocalCluster => {
    const local = running.get(name);
    if (local === undefined) throw new Error(`cluster ${name} does not run`);
    return local;
  };
  return {
    running,
    async startCluster(spec) {
      const local = running.get(spec.name) ?? (await start(options, placeOf(spec), spec));
      running.set(spec.name, local);
      return connectionOf(local, options);
    },
    async deleteCluster(named) {
      const local = running.get(named.name);
      running.delete(named.name);
      if (local) await stopOne(local, provider);
      await provider.removeCluster(placeOf(named));
      await rm(placeOf(named).directory, { recursive: true, force: true });
      await rm(join(home.logs, named.name), { recursive: true, force: true });
    },
    claimAddresses: (name, instances, taken) => provider.claimAddresses(existing(name), instances, taken),
    async addNode(name, spec) {
      const local = existing(name);
      if (local.cluster.kubelets.has(spec.name)) return;
      await provider.addNode(local, spec, nodeSettingsOf(spec, local.spec));
      await untilReady(local.cluster.admin, spec.name, clock);
    },
    async removeNode(name, node) {
      const local = existing(name);
      // Without its kubelet nobody would report that pods have ended.
      if (node.name !== undefined && local.cluster.kubelets.has(node.name)) await drain(local.cluster.admin, node.name, clock);
      await provider.removeNode(local, node);
    },
    updateNode: (name, nodeName, change) => changeNode(existing(name).cluster, nodeName, change),
    async stop() {
      await Promise.all([...running.values()].map((local) => stopOne(local, provider)));
      running.clear();
    },
  };
}

async function start(options: LocalClustersOptions, place: ClusterPlace, spec: ClusterSpec): Promise<LocalCluster> {
  const { home, thread, provider, clock, random } = options;
  await mkdir(place.directory, { recursive: true, mode: 0o700 });
  const logDirectory = join(home.logs, spec.name);
  const logs = new Map<string, Log>();
  const logOf = (component: string): Log => {
    const log = logs.get(component) ?? fileLog(join(logDirectory, `${component}.log`));
    logs.set(component, log);
    return log;
  };
  const [identity, store, audit, network] = await Promise.all([
    identityOf(place, { clock, random }),
    openSqliteStore(join(place.directory, 'store.db'), thread),
    openRotatedFile({ file: join(logDirectory, 'audit.log'), log: logOf('apiserver') }),
    provider.prepareCluster(place),
  ]);
  const volumes = join(place.directory, 'volumes');
  const port = spec.port ?? 0;
  const cluster = await startCluster({
    store,
    clock,
    random,
    logOf,
    serviceAccountKey: identity.serviceAccountKey,
    rootCa: identity.authority.certificate,
    issuer: spec.issuer,
    serviceCidr: spec.serviceIpv4Cidr,
    tokenAuthenticators: [spec.authenticateToken],
    authorizers: [spec.authorize],
    listen: {
      identity,
      host: '127.0.0.1',
      port,
      addresses: network.addresses,
      ...(network.advertise && { advertise: network.advertise }),
    },
    audit,
    volumes: { directory: volumes, remove: (path) => rm(path, { recursive: true, force: true }) },
  }).catch(async (error: unknown) => {
    await Promise.all([store.close(), audit.close()]);
    throw error;
  });
  const local = { ...place, cluster, store, audit, spec };
  try {
    await provider.clusterStarted(place, { cluster, port: cluster.port!, serviceCidr: spec.serviceIpv4Cidr, logOf });
  } catch (error) {
    await stopOne(local, provider);
    throw error;
  }
  return local;
}

async function stopOne(local: LocalCluster, provider: NodeProvider): Promise<void> {
  await provider.clusterStopping(local);
  await local.cluster.stop();
  await Promise.all([local.store.close(), local.audit.close()]);
}

async function connectionOf(local: LocalCluster, options: LocalClustersOptions): Promise<RunningCluster> {
  const { authority } = await identityOf(local, options);
  return {
    endpoint: `https://127.0.0.1:${local.cluster.port}`,
    certificateAuthorityData: Buffer.from(authority.certificate).toString('base64'),
  };
}

/** Made at the cluster's first start and kept for its life. */
async function identityOf(place: ClusterPlace, issuing: { clock: Clock; random: Random }): Promise<ClusterIdentity> {
  const file = join(place.directory, 'identity.json');
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ClusterIdentity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const identity = await createClusterIdentity(issuing);
    await writeDurably(file, JSON.stringify(identity));
    return identity;
  }
}

async function changeNode(cluster: Cluster, name: string, change: NodeChange): Promise<void> {
  const node: Node = copyOf(await cluster.admin.get(nodeResource, { name }));
  const labels = { ...node.metadata.labels, ...change.setLabels };
  for (const key of change.removeLabels) delete labels[key];
  const gone = [...change.setTaints, ...change.removeTaints];
  const kept = (node.spec?.taints ?? []).filter((taint) => !gone.some(({ key, effect }) => taint.key === key && taint.effect === effect));
  node.metadata.labels = labels;
  node.spec = { ...node.spec, taints: [...kept, ...change.setTaints] };
  await cluster.admin.update(nodeResource, node);
}
