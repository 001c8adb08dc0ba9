// The scheduler: takes one waiting pod after the other, picks its node and binds it through the API. Picking is synchronous on the
// scheduler's own picture of the cluster; bindings run beside it, and a pod counts on its node from the moment it was picked.
import { isPodActive, isPodTerminal } from '#api/core/pod-state.ts';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { nodes, persistentvolumeclaims, persistentvolumes, pods, storageclasses } from '#api/generated/resources.ts';
import type { ResourceType } from '#api/meta/object.ts';
import { isConflict } from '#api/meta/errors.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Informers } from '#client/informer.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import type { Registry } from 'prom-client';
import type { ClusterEventKind } from './framework.ts';
import type { ClusterCache } from './cluster-cache.ts';
import { createClusterCache } from './cluster-cache.ts';
import { createSchedulerMetrics } from './metrics.ts';
import { pickNode } from './pick-node.ts';
import { podInfoOf } from './pod-info.ts';
import { createPodWriter } from './pod-writer.ts';
import type { VolumeLookup } from './plugins/volume-binding.ts';
import { claimsToProvision } from './plugins/volume-binding.ts';
import { defaultProfile } from './profile.ts';
import type { QueuedPod, SchedulingQueue } from './queue.ts';
import { createSchedulingQueue } from './queue.ts';

export interface SchedulerContext {
  client: Client;
  informers: Informers;
  clock: Clock;
  random: Random;
  log: Log;
  events: EventRecorder;
  metrics?: Registry;
}

export interface Scheduler {
  /** Begins once the informers have synced. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Bindings under way at once; beyond it picking waits. */
const maxBindings = 256;
/** Picks between two turns of the event loop. */
const picksPerTurn = 32;

export function createScheduler(context: SchedulerContext): Scheduler {
  const { client, informers, clock, random, log, events } = context;
  const podInformer = informers.informer(pods);
  const volumes = lookupOf(informers);
  const profile = defaultProfile(volumes);
  const metrics = createSchedulerMetrics(context.metrics, () => queue.counts, profile.schedulerName);
  const cache = createClusterCache();
  const queue = createSchedulingQueue({ clock, ready: () => wake() });
  const writer = createPodWriter({ client, clock, log, events });
  const underWay = new Set<Promise<void>>();
  let takeOff: (() => void)[] = [];
  let running = false;
  let turning = false;
  let startAt = 0;

  const retryOn = new Map([...profile.preFilters, ...profile.filters].map((plugin) => [plugin.name, plugin.retryOn]));
  const changed = (kind: ClusterEventKind) => queue.clusterChanged(kind, (plugin) => retryOn.get(plugin)?.includes(kind) ?? false);

  const wake = (): void => {
    if (!running || turning || queue.counts.active === 0) return;
    turning = true;
    setImmediate(turn);
  };
  const turn = (): void => {
    turning = false;
    for (let picks = 0; running && picks < picksPerTurn && underWay.size < maxBindings; picks++) {
      const queued = queue.next();
      if (queued === undefined) return;
      scheduleOne(queued);
    }
    if (underWay.size < maxBindings) wake();
  };
  /** Runs beside the picking; its owner is `underWay`. */
  const run = (work: Promise<void>): void => {
    const owned = work.finally(() => {
      underWay.delete(owned);
      wake();
    });
    underWay.add(owned);
  };

  const scheduleOne = (queued: QueuedPod): void => {
    const startedMs = clock.monotonicMs();
    const pick = pickNode(queued.info, cache.nodes, profile, random, startAt);
    startAt = pick.nextStart;
    metrics.attempted(pick.node ? 'scheduled' : 'unschedulable', (clock.monotonicMs() - startedMs) / 1000);
    if (pick.node === undefined) {
      queue.putUnschedulable(queued, pick.plugins);
      run(writer.reportUnschedulable(queued.info.pod, pick.message));
      return;
    }
    const claims = claimsToProvision(queued.info, volumes);
    if (claims.length > 0) {
      // The pod comes back when its volumes have been made for this node.
      const nodeName = pick.node.name;
      queue.putUnschedulable(queued, new Set(['VolumeBinding']));
      run(writer.askForVolumes(claims, nodeName));
      return;
    }
    cache.assume(queued.info, pick.node.name);
    run(bind(queued, pick.node.name));
  };

  const bind = async (queued: QueuedPod, nodeName: string): Promise<void> => {
    const { key, uid } = queued.info;
    const failure = await writer.bind(queued.info.pod, nodeName);
    if (failure === undefined) return metrics.bound((clock.now() - queued.queuedMs) / 1000, queued.attempts);
    const current = podInformer.get(key);
    // The place is freed unless the pod turned out to be bound there after all: then the informer has said so.
    if (!current?.spec.nodeName) cache.forget(uid);
    if (current === undefined || isConflict(failure)) return;
    metrics.attempted('error', 0);
    events.event(queued.info.pod, 'Warning', 'FailedScheduling', `binding rejected: ${failure.message}`);
    if (isWaiting(current)) queue.putBackoff({ ...queued, info: podInfoOf(current) });
  };

  return {
    async start() {
      takeOff = follow(informers, { cache, queue, schedulerName: profile.schedulerName, changed });
      await informers.synced();
      running = true;
      wake();
    },
    async stop() {
      running = false;
      for (const off of takeOff) off();
      queue.stop();
      await Promise.all(underWay);
    },
  };
}

interface Followers {
  cache: ClusterCache;
  queue: SchedulingQueue;
  schedulerName: string;
  changed: (kind: ClusterEventKind) => void;
}

/** Keeps cache and queue in step with the cluster. Answers how to stop. */
function follow(informers: Informers, { cache, queue, schedulerName, changed }: Followers): (() => void)[] {
  const seePod = (old: Pod | undefined, pod: Pod): void => {
    const uid = pod.metadata.uid!;
    if (pod.spec.nodeName) {
      queue.remove(uid);
      if (isPodTerminal(pod)) {
        if (cache.removePod(uid)) changed('pod-removed');
      } else if (old?.spec.nodeName !== pod.spec.nodeName || old.metadata.generation !== pod.metadata.generation) cache.setPod(pod);
    } else if (isWaiting(pod) && pod.spec.schedulerName === schedulerName) {
      if (!cache.isPlaced(uid)) queue.put(podInfoOf(pod));
    } else queue.remove(uid);
  };
  const forgetPod = (pod: Pod): void => {
    queue.remove(pod.metadata.uid!);
    if (cache.removePod(pod.metadata.uid!)) changed('pod-removed');
  };
  const seeNode = (old: Node | undefined, node: Node): void => {
    if (old !== undefined && !matters(old, node)) return;
    cache.setNode(node);
    changed(old === undefined ? 'node-added' : 'node-updated');
  };
  const volumeChanged = () => changed('volume-changed');
  const followVolumes = (resource: ResourceType) =>
    informers.informer(resource).addHandlers({ added: volumeChanged, updated: volumeChanged });

  return [
    informers.informer(nodes).addHandlers({
      added: (node) => seeNode(undefined, node),
      updated: seeNode,
      deleted: (node) => cache.removeNode(node.metadata.name!),
    }),
    informers.informer(pods).addHandlers({ added: (pod) => seePod(undefined, pod), updated: seePod, deleted: forgetPod }),
    ...[persistentvolumeclaims, persistentvolumes, storageclasses].map((resource) => followVolumes(resource as ResourceType)),
  ];
}

function isWaiting(pod: Pod): boolean {
  return !pod.spec.nodeName && isPodActive(pod);
}

/** Whether a node's change could let a pod in that was kept out, or changes what it holds. Heartbeats do not. */
function matters(old: Node, node: Node): boolean {
  return (
    old.metadata.generation !== node.metadata.generation ||
    old.spec.unschedulable !== node.spec.unschedulable ||
    JSON.stringify(old.spec.taints) !== JSON.stringify(node.spec.taints) ||
    JSON.stringify(old.metadata.labels) !== JSON.stringify(node.metadata.labels) ||
    JSON.stringify(old.status?.allocatable) !== JSON.stringify(node.status?.allocatable)
  );
}

function lookupOf(informers: Informers): VolumeLookup {
  const claims = informers.informer(persistentvolumeclaims);
  const volumes = informers.informer(persistentvolumes);
  const classes = informers.informer(storageclasses);
  return {
    claim: (namespace, name) => claims.get(`${namespace}/${name}`),
    volume: (name) => volumes.get(name),
    storageClass: (name) => classes.get(name),
  };
}
