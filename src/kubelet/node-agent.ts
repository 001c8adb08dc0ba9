// Registers the node and keeps it alive: its lease every 10 s, its status when it changed and at least every 5 minutes.
// One timer a node, so that thousands of them idle in one process.
import type { Lease } from '#api/generated/coordination-v1.ts';
import type { Node, NodeStatus } from '#api/generated/core-v1.ts';
import { leases, nodes } from '#api/generated/resources.ts';
import { isAlreadyExists, isConflict, isNotFound } from '#api/meta/errors.ts';
import { copyOf } from '#api/meta/object.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Clock, Timer } from '#lib/clock.ts';
import { toMicroTime } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import type { NodeMeasurements, NodeSettings } from './node-object.ts';
import { nodeLabels, nodeObject, nodeStatus, saysTheSame } from './node-object.ts';
import type { ContainerRuntime, RuntimeInfo } from './runtime/runtime.ts';

interface NodeAgent {
  /** Resolves when the node is registered and its status is written. */
  start(): Promise<void>;
  stop(): void;
  /** As last written or read. */
  node(): Pick<Node, 'metadata' | 'spec' | 'status'>;
  /** The capacity or readiness may have changed: report now, not at the next beat. */
  refresh(): Promise<void>;
}

export interface NodeAgentOptions {
  settings: NodeSettings;
  client: Client;
  runtime: ContainerRuntime;
  runtimeInfo: RuntimeInfo;
  clock: Clock;
  random: Random;
  log: Log;
  events: Pick<EventRecorder, 'event'>;
}

const leaseNamespace = 'kube-node-lease';
const leaseDurationSeconds = 40;
const beatMs = 10_000;
const reportMs = 300_000;
const notReadyBeatMs = 1000;

export class KubeletNode implements NodeAgent {
  readonly #options: NodeAgentOptions;
  #node: Node;
  #lease: Lease | undefined;
  #timer: Timer | undefined;
  #reportedAtMs = 0;
  /** What was measured when the status was last right. */
  #reported: string | undefined;
  #isReady = false;
  #isStopped = false;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
    this.#node = nodeObject(options.settings, { nowMs: options.clock.now(), runtime: options.runtimeInfo, images: [], volumesInUse: [] });
  }

  node(): Pick<Node, 'metadata' | 'spec' | 'status'> {
    return this.#node;
  }

  async start(): Promise<void> {
    this.#tell('Starting', 'Starting kubelet.');
    const measured = await this.#measure();
    await this.#register(measured);
    await this.#renewLease();
    // A spread of the first beat keeps a thousand nodes from beating at once.
    this.#next(beatMs * (0.5 + this.#options.random.next() / 2));
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async refresh(): Promise<void> {
    await this.#report(await this.#measure());
  }

  #next(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(this.#isReady ? delayMs : Math.min(delayMs, notReadyBeatMs), () => {
      this.#beat()
        .catch((error: unknown) => this.#options.log.warn({ err: error }, 'node heartbeat failed, will be tried again'))
        .finally(() => this.#next(beatMs))
        .catch(() => undefined);
    });
  }

  async #beat(): Promise<void> {
    const { clock } = this.#options;
    const renewedAt = this.#lease?.spec?.renewTime;
    if (renewedAt === undefined || clock.now() - Date.parse(renewedAt) >= beatMs / 2) await this.#renewLease();
    await this.#report(await this.#measure());
  }

  async #measure(): Promise<NodeMeasurements> {
    const { runtime, runtimeInfo, clock } = this.#options;
    let notReady: string | undefined;
    try {
      await runtime.checkReady();
    } catch (error) {
      notReady = error instanceof Error ? error.message : String(error);
    }
    this.#isReady = notReady === undefined;
    const images = notReady === undefined ? await runtime.images() : [];
    return { nowMs: clock.now(), runtime: runtimeInfo, images, volumesInUse: [], ...(notReady !== undefined && { notReady }) };
  }

  async #register(measured: NodeMeasurements): Promise<void> {
    const { client, settings } = this.#options;
    try {
      this.#node = await client.create(nodes, nodeObject(settings, measured));
      this.#tellReadiness();
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      this.#node = await client.get(nodes, { name: settings.name });
      await this.#reconcileMetadata();
    }
    this.#reportedAtMs = 0;
    this.#reported = undefined;
    await this.#report(measured);
  }

  /** Labels that follow from the node's settings are set again; what others added stays. Taints belong to others once the node exists. */
  async #reconcileMetadata(): Promise<void> {
    const { client, settings } = this.#options;
    const labels = nodeLabels(settings);
    const have = this.#node.metadata.labels ?? {};
    if (Object.entries(labels).every(([key, value]) => have[key] === value)) return;
    this.#node = await client.patch(nodes, { name: settings.name }, { type: 'strategic', body: { metadata: { labels } } });
  }

  async #report(measured: NodeMeasurements): Promise<void> {
    const { client, settings, clock } = this.#options;
    const isDue = clock.now() - this.#reportedAtMs >= reportMs;
    // The cheap answer for an idle node: what was measured is what was reported.
    const measurement = JSON.stringify([measured.notReady, measured.images, measured.volumesInUse]);
    if (!isDue && measurement === this.#reported) return;
    const before = this.#node.status ?? {};
    const status = nodeStatus(settings, measured, before);
    const isFirst = this.#reportedAtMs === 0;
    if ((isFirst || !isDue) && saysTheSame(pickOwned(before), pickOwned(status))) {
      // A node that was just created carries its status already.
      if (isFirst) this.#reportedAtMs = clock.now();
      this.#reported = measurement;
      return;
    }
    const body = { status: patchOf(before, status) };
    // A node that somebody deleted stays deleted until its kubelet starts again, as upstream's.
    this.#node = await client.patch(nodes, { name: settings.name }, { type: 'strategic', body }, { subresource: 'status' });
    this.#reportedAtMs = clock.now();
    this.#reported = measurement;
    if (readinessOf(before) !== readinessOf(status)) this.#tellReadiness();
  }

  #tellReadiness(): void {
    const reason = readinessOf(this.#node.status ?? {}) === 'True' ? 'NodeReady' : 'NodeNotReady';
    this.#tell(reason, `Node ${this.#options.settings.name} status is now: ${reason}`);
  }

  #tell(reason: string, message: string): void {
    const { name } = this.#options.settings;
    // As upstream's kubelet, which speaks of itself before it knows its object: kubectl describe looks for the name in place of the uid.
    this.#options.events.event({ apiVersion: 'v1', kind: 'Node', name, uid: name }, 'Normal', reason, message);
  }

  async #renewLease(): Promise<void> {
    const { client, clock, settings } = this.#options;
    const renewTime = toMicroTime(clock.now());
    const ref = { namespace: leaseNamespace, name: settings.name };
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        if (this.#lease === undefined) {
          // Without its node a lease would be garbage at once.
          if (attempt > 0) await client.get(nodes, { name: settings.name });
          this.#lease = await client.create(leases, this.#newLease(renewTime));
        } else {
          const lease = copyOf(this.#lease);
          lease.spec = { ...lease.spec, holderIdentity: settings.name, leaseDurationSeconds, renewTime };
          this.#lease = await client.update(leases, lease);
        }
        return;
      } catch (error) {
        if (isAlreadyExists(error) || isConflict(error)) this.#lease = await client.get(leases, ref);
        else if (isNotFound(error) && this.#lease !== undefined) this.#lease = undefined;
        else throw error;
      }
    }
  }

  #newLease(renewTime: string): Lease {
    const { name, uid } = this.#node.metadata;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: name!,
        namespace: leaseNamespace,
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: name!, uid: uid! }],
      },
      spec: { holderIdentity: name!, leaseDurationSeconds, renewTime },
    };
  }
}

const owned = ['capacity', 'allocatable', 'conditions', 'addresses', 'daemonEndpoints', 'nodeInfo', 'images', 'volumesInUse'] as const;
const ownConditions: ReadonlySet<string> = new Set(['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready']);

/** The part of a node's status that its kubelet speaks for. */
function pickOwned(status: NodeStatus): NodeStatus {
  const picked: Record<string, unknown> = {};
  for (const field of owned) if (status[field] !== undefined) picked[field] = status[field];
  if (status.conditions !== undefined) {
    picked.conditions = status.conditions
      .filter(({ type }) => ownConditions.has(type))
      .map(({ type, status: value, reason, message, lastTransitionTime }) => ({
        type,
        status: value,
        reason,
        message,
        lastTransitionTime,
      }));
  }
  return sorted(picked) as NodeStatus;
}

function readinessOf({ conditions = [] }: NodeStatus): string | undefined {
  return conditions.find(({ type }) => type === 'Ready')?.status;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  );
}

/** Conditions always carry the heartbeat; of the rest only what changed. Addresses merge by type, so they are replaced. */
function patchOf(before: NodeStatus, after: NodeStatus): Record<string, unknown> {
  const patch: Record<string, unknown> = { conditions: after.conditions };
  for (const field of owned) {
    if (field === 'conditions' || JSON.stringify(sorted(before[field])) === JSON.stringify(sorted(after[field]))) continue;
    if (field === 'addresses') patch.addresses = [...(after.addresses ?? []), { $patch: 'replace' }];
    else patch[field] = after[field] ?? null;
  }
  return patch;
}
