// A node's agent: watches the pods bound to its node, runs them, and reports. The same one drives real and simulated nodes.
// Restarted, it adopts what the runtime already runs.
import { readFile } from 'node:fs/promises';
import { isPodTerminal } from '#api/core/pod-state.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { pods } from '#api/generated/resources.ts';
import type { Client } from '#client/client.ts';
import { createEventRecorder } from '#client/events.ts';
import type { Informer } from '#client/informer.ts';
import { createInformer } from '#client/informer.ts';
import type { KubeletConnection } from '#client/kubelet-connection.ts';
import type { Clock, Timer } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { refusalOf } from './admission.ts';
import type { DnsSettings, KubeletContext, KubeletDirectories, ServiceLister } from './context.ts';
import { createImageManager } from './images.ts';
import { rotateLogs } from './log-rotation.ts';
import { KubeletNode } from './node-agent.ts';
import type { NodeSettings } from './node-object.ts';
import type { ObjectSource } from './object-source.ts';
import { createObjectSource } from './object-source.ts';
import { PodWorker } from './pod-worker.ts';
import type { PodWorkerServices } from './pod-worker.ts';
import { createProbeManager } from './probes/probe-manager.ts';
import type { ContainerRuntime, PodIdentity } from './runtime/runtime.ts';
import { createKubeletConnection } from './server/connection.ts';
import { createStatusWriter } from './status-writer.ts';
import { createVolumeManager } from './volumes/volume-manager.ts';

export interface KubeletOptions {
  node: NodeSettings;
  client: Client;
  runtime: ContainerRuntime;
  clock: Clock;
  random: Random;
  log: Log;
  directories: KubeletDirectories;
  clusterDns?: readonly string[];
  /** Without a dot at its end. */
  clusterDomain?: string;
  hostDns?: DnsSettings;
  /** Services by namespace, from an informer that the host process shares among its nodes. Without it containers get no service variables. */
  services?: ServiceLister;
  /** Config maps and secrets, where several nodes of a process share them. */
  objects?: ObjectSource;
}

export interface Kubelet {
  readonly nodeName: string;
  readonly connection: KubeletConnection;
  /** Resolves when the node is registered and its pods are known. */
  start(): Promise<void>;
  /** Stops without touching what runs. */
  stop(): Promise<void>;
}

const simulatedFreshMs = 10_000;
const upkeepMs = 10_000;
const secondLooksMs = [100, 1000];

export async function createKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { client, runtime, clock, random, node: settings } = options;
  const log = options.log.with({ component: 'kubelet', node: settings.name });
  const runtimeInfo = await runtime.info();
  const events = createEventRecorder({ client, clock, log, component: 'kubelet', host: settings.name });
  const node = new KubeletNode({ settings, client, runtime, runtimeInfo, clock, random, log, events });
  const hostIps = settings.addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
  const freshMs = runtime.withoutFiles ? simulatedFreshMs : 0;
  const context: KubeletContext = {
    nodeName: settings.name,
    client,
    runtime,
    runtimeName: runtimeInfo.name,
    clock,
    random,
    log,
    events,
    directories: options.directories,
    objects: options.objects ?? createObjectSource({ client, clock, random, log, freshMs }),
    services: options.services ?? (() => []),
    hostIps,
    clusterDns: options.clusterDns ?? [],
    clusterDomain: options.clusterDomain ?? 'cluster.local',
    hostDns: options.hostDns ?? { servers: [], searches: [], options: [] },
    node: () => node.node(),
  };
  return new NodeKubelet(context, node, options.objects === undefined);
}

class NodeKubelet implements Kubelet {
  readonly nodeName: string;
  readonly connection: KubeletConnection;
  readonly #context: KubeletContext;
  readonly #node: KubeletNode;
  readonly #ownsObjects: boolean;
  readonly #workers = new Map<string, PodWorker>();
  readonly #informer: Informer<Pod>;
  readonly #services: PodWorkerServices;
  #stopListening: () => void = () => undefined;
  #upkeep: Timer | undefined;

  constructor(context: KubeletContext, node: KubeletNode, ownsObjects: boolean) {
    this.nodeName = context.nodeName;
    this.#context = context;
    this.#node = node;
    this.#ownsObjects = ownsObjects;
    this.#informer = createInformer(context.client, pods, { fieldSelector: `spec.nodeName=${context.nodeName}` }, context);
    this.#services = {
      context,
      images: createImageManager(context),
      volumes: createVolumeManager(context),
      probes: createProbeManager(context),
      statuses: createStatusWriter(context),
      hostFile: '',
      admit: (pod) => refusalOf(pod, this.#others(pod), context.node()),
      forgotten: (uid) => void this.#workers.delete(uid),
    };
    this.connection = createKubeletConnection(context, () => [...this.#workers.values()].map(({ pod }) => pod));
  }

  async start(): Promise<void> {
    const { runtime, clock } = this.#context;
    if (!runtime.withoutFiles) this.#services.hostFile = await readFile('/etc/hosts', 'utf8').catch(() => '');
    // The node comes first: no pod can be bound to it before.
    await this.#node.start();
    this.#stopListening = runtime.onEvent(({ podUid }) => this.#onRuntimeEvent(podUid));
    this.#informer.addHandlers({
      added: (pod) => this.#put(pod),
      updated: (_, pod) => this.#put(pod),
      deleted: (pod) => this.#workers.get(pod.metadata.uid!)?.remove(),
    });
    this.#informer.start();
    await this.#informer.synced;
    await this.#endOrphans();
    if (!runtime.withoutFiles) this.#upkeep = clock.every(upkeepMs, () => this.#keepUp());
  }

  /** A real runtime tells of an exit before its own lists show it: so look now, and again shortly. */
  #onRuntimeEvent(podUid: string): void {
    const { runtime, clock } = this.#context;
    this.#workers.get(podUid)?.kick();
    if (runtime.withoutFiles) return;
    for (const delayMs of secondLooksMs) clock.after(delayMs, () => this.#workers.get(podUid)?.kick());
  }

  /** Real nodes only: events that were lost are made good, logs stay within bounds. */
  #keepUp(): void {
    for (const worker of this.#workers.values()) if (!worker.isOver) worker.kick();
    if (this.#context.runtime.reopenLog === undefined) return;
    rotateLogs(this.#context).catch((error: unknown) => this.#context.log.warn({ err: error }, 'logs not rotated'));
  }

  async stop(): Promise<void> {
    this.#stopListening();
    this.#upkeep?.cancel();
    this.#informer.stop();
    this.#node.stop();
    for (const worker of this.#workers.values()) worker.abandon();
    this.#workers.clear();
    this.#services.probes.stop();
    this.#services.statuses.stop();
    if (this.#ownsObjects) this.#context.objects.stop();
    this.#context.events.stop();
    await Promise.resolve();
  }

  #put(pod: Pod): void {
    const uid = pod.metadata.uid!;
    const worker = this.#workers.get(uid);
    if (worker !== undefined) return worker.update(pod);
    const created = new PodWorker(pod, this.#services);
    this.#workers.set(uid, created);
    created.kick();
  }

  #others(pod: Pod): Pod[] {
    const others: Pod[] = [];
    for (const [uid, worker] of this.#workers)
      if (uid !== pod.metadata.uid && !worker.isOver && !isPodTerminal(worker.pod)) others.push(worker.pod);
    return others;
  }

  /** Pods that the runtime has and the API server no longer: deleted while this kubelet was away. */
  async #endOrphans(): Promise<void> {
    for (const { sandbox } of await this.#context.runtime.pods()) {
      const { uid } = sandbox.pod;
      if (this.#workers.has(uid)) continue;
      const worker = new PodWorker(orphan(sandbox.pod), this.#services);
      this.#workers.set(uid, worker);
      worker.remove();
    }
  }
}

/** Enough of a pod to end what is left of it. */
function orphan(identity: PodIdentity): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...identity }, spec: { containers: [] } };
}
