// The clusters of this account and region: their records, and the work that makes reality follow them.
import { join } from 'node:path';
import type { Authorizer, TokenAuthenticator } from '#api/meta/access.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import { openRecords } from '#lib/records.ts';
import type { ClusterHealth } from '#eks/generated/types.ts';
import { trackWork } from '#eks/work.ts';
import type { ClusterHost, ClusterSpec } from './host.ts';
import type { ClusterRecord } from './record.ts';

interface ClusterAccess {
  authenticateToken: TokenAuthenticator;
  authorize: Authorizer;
}

export interface ClustersOptions {
  /** KEKS_HOME/state/eks */
  directory: string;
  accountId: string;
  region: string;
  host: ClusterHost;
  clock: Clock;
  log: Log;
  accessOf: (clusterName: string) => ClusterAccess;
}

export interface Clusters {
  names(): string[];
  /** As it stands now. */
  get(name: string): ClusterRecord | undefined;
  /** Once work on it has come to rest: a cluster being made is ACTIVE or FAILED then, one being deleted is gone. */
  settled(name: string): Promise<ClusterRecord | undefined>;
  /** Keeps the record and starts to make it real. */
  create(record: ClusterRecord): Promise<void>;
  /** Keeps a change that needs no work. */
  update(record: ClusterRecord): Promise<void>;
  /** Marks it DELETING and starts to take it down. */
  delete(record: ClusterRecord): Promise<ClusterRecord>;
  /** After a start of the daemon: makes reality what the records say. Resolves when done. */
  resume(): Promise<void>;
  idle(): Promise<void>;
  /** Keeps no change any more: work that is cut off is taken up by the next start, and does not count as failed. */
  close(): Promise<void>;
}

export async function openClusters(options: ClustersOptions): Promise<Clusters> {
  const { host, log } = options;
  const records = await openRecords<ClusterRecord>(join(options.directory, 'clusters'));
  const work = trackWork(options.clock);
  /** Changes the record as it stands now, not as it stood when the work began. */
  const change = async (name: string, fields: Partial<ClusterRecord['cluster']>): Promise<ClusterRecord> => {
    const record = records.get(name)!;
    const changed = { ...record, cluster: { ...record.cluster, ...fields } };
    await records.put(name, changed);
    return changed;
  };

  /** Brings it up; `failedStatus` is what it becomes if that fails. */
  const bringUp = async (name: string, failedStatus: 'FAILED' | 'ACTIVE') => {
    const record = records.get(name);
    if (record === undefined || record.cluster.status === 'DELETING') return;
    try {
      const running = await host.startCluster(specOf(record, options));
      await change(name, {
        status: 'ACTIVE',
        endpoint: running.endpoint,
        certificateAuthority: { data: running.certificateAuthorityData },
        health: { issues: [] },
      });
    } catch (error) {
      log.error({ cluster: name, err: String(error), stack: (error as Error).stack }, 'the cluster did not start');
      await change(name, { status: failedStatus, health: healthOf(record, error) });
    }
  };

  const takeDown = async (name: string) => {
    const record = records.get(name);
    if (record === undefined) return;
    try {
      await host.deleteCluster({ name, id: record.id });
      await records.delete(name);
    } catch (error) {
      log.error({ cluster: name, err: String(error) }, 'the cluster was not deleted; the next start of the daemon tries again');
      await change(name, { status: 'FAILED', health: healthOf(record, error) });
    }
  };

  return {
    names: () => records.names(),
    get: (name) => records.get(name),
    async settled(name) {
      await work.settled(name);
      return records.get(name);
    },
    async create(record) {
      await records.put(record.cluster.name, record);
      work.start(record.cluster.name, () => bringUp(record.cluster.name, 'FAILED'));
    },
    update: (record) => records.put(record.cluster.name, record),
    async delete(record) {
      const deleting = await change(record.cluster.name, { status: 'DELETING' });
      work.start(record.cluster.name, () => takeDown(record.cluster.name));
      return deleting;
    },
    async resume() {
      for (const { cluster } of records.values()) {
        if (cluster.status === 'DELETING') work.start(cluster.name, () => takeDown(cluster.name));
        else if (cluster.status !== 'FAILED') work.start(cluster.name, () => bringUp(cluster.name, cluster.endpoint ? 'ACTIVE' : 'FAILED'));
      }
      await work.idle();
    },
    idle: () => work.idle(),
    close: () => records.close(),
  };
}

function healthOf(record: ClusterRecord, error: unknown): ClusterHealth {
  return { issues: [{ code: 'InternalFailure', message: (error as Error).message, resourceIds: [record.cluster.arn] }] };
}

function specOf(record: ClusterRecord, options: ClustersOptions): ClusterSpec {
  const { cluster } = record;
  const port = cluster.endpoint === undefined ? Number.NaN : Number(new URL(cluster.endpoint).port);
  return {
    name: cluster.name,
    arn: cluster.arn,
    id: record.id,
    region: options.region,
    accountId: options.accountId,
    version: cluster.version,
    serviceIpv4Cidr: cluster.kubernetesNetworkConfig!.serviceIpv4Cidr!,
    issuer: cluster.identity!.oidc!.issuer!,
    ...(port > 0 && { port }),
    ...options.accessOf(cluster.name),
  };
}
