// The node groups of all clusters: their records, and the work that gives each group the nodes it wants.
import { join } from 'node:path';
import type { ClusterHost, NodeChange } from '#eks/clusters/host.ts';
import type { Update } from '#eks/generated/types.ts';
import { trackWork } from '#eks/work.ts';
import type { Clock } from '#lib/clock.ts';
import { inTurn } from '#lib/in-turn.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { openRecords } from '#lib/records.ts';
import { bringUp, finishUpdate, setStatus, takeDown } from './reality.ts';
import type { NodegroupRecord } from './record.ts';
import { keptUpdates, keyOf, recordKey } from './record.ts';

export interface NodegroupsOptions {
  /** KEKS_HOME/state/eks */
  directory: string;
  region: string;
  host: ClusterHost;
  clock: Clock;
  random: Random;
  log: Log;
}

export interface Nodegroups {
  of(clusterName: string): NodegroupRecord[];
  get(clusterName: string, nodegroupName: string): NodegroupRecord | undefined;
  /** Once work on it has come to rest. */
  settled(clusterName: string, nodegroupName: string): Promise<NodegroupRecord | undefined>;
  /** Keeps the record and starts to make it real. */
  create(record: NodegroupRecord): Promise<void>;
  /** Keeps a change that needs no work. */
  put(record: NodegroupRecord): Promise<void>;
  /** Keeps the changed record with its update InProgress, and starts the work that the update means. */
  update(record: NodegroupRecord, update: Update & { id: string }, change: NodeChange): Promise<void>;
  /** Marks it DELETING and starts to take it down. */
  delete(record: NodegroupRecord): Promise<NodegroupRecord>;
  /** After a start of the daemon, once the clusters are up. Resolves when every node is Ready or has failed. */
  resume(): Promise<void>;
  idle(): Promise<void>;
  /** Keeps no change any more: work that is cut off is taken up by the next start, and does not count as failed. */
  close(): Promise<void>;
}

export async function openNodegroups(options: NodegroupsOptions): Promise<Nodegroups> {
  const records = await openRecords<NodegroupRecord>(join(options.directory, 'nodegroups'));
  const work = trackWork(options.clock);
  const reality = { ...options, records, claiming: inTurn() };
  const resumeOne = (record: NodegroupRecord) => {
    const key = keyOf(record);
    const { status } = record.nodegroup;
    const open = record.updates.find((update) => update.status === 'InProgress');
    if (status === 'DELETING') work.start(key, () => takeDown(reality, key));
    else if (open !== undefined) work.start(key, () => finishUpdate(reality, key, open.id));
    else if (status !== 'CREATE_FAILED') work.start(key, () => bringUp(reality, key, status === 'CREATING' ? 'CREATE_FAILED' : 'DEGRADED'));
  };
  return {
    of: (clusterName) => records.values().filter((record) => record.nodegroup.clusterName === clusterName),
    get: (clusterName, nodegroupName) => records.get(recordKey(clusterName, nodegroupName)),
    async settled(clusterName, nodegroupName) {
      const key = recordKey(clusterName, nodegroupName);
      await work.settled(key);
      return records.get(key);
    },
    put: (record) => records.put(keyOf(record), record),
    async create(record) {
      await records.put(keyOf(record), record);
      work.start(keyOf(record), () => bringUp(reality, keyOf(record), 'CREATE_FAILED'));
    },
    async update(record, update, pendingChange) {
      const updates = [...record.updates, update].slice(-keptUpdates);
      await setStatus(records, { ...record, updates, pendingChange }, 'UPDATING');
      work.start(keyOf(record), () => finishUpdate(reality, keyOf(record), update.id));
    },
    async delete(record) {
      const deleting = { ...record, nodegroup: { ...record.nodegroup, status: 'DELETING' as const } };
      await records.put(keyOf(record), deleting);
      work.start(keyOf(record), () => takeDown(reality, keyOf(record)));
      return deleting;
    },
    async resume() {
      for (const record of records.values()) resumeOne(record);
      await work.idle();
    },
    idle: () => work.idle(),
    close: () => records.close(),
  };
}
