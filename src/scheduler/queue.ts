// Pods that wait for a node: ready ones by priority then age, failed ones until their back-off ends or the cluster changes in a way that
// may help them, gated ones until their gates are gone.
import type { Clock, Timer } from '#lib/clock.ts';
import type { ClusterEventKind } from './framework.ts';
import { createHeap } from './heap.ts';
import type { PodInfo } from './pod-info.ts';

export interface QueuedPod {
  info: PodInfo;
  attempts: number;
  /** When it first came into the queue. */
  queuedMs: number;
  /** Until when it backs off after its last failure. */
  backoffUntilMs: number;
  /** Which plugins turned it away last. */
  plugins: ReadonlySet<string>;
}

export interface SchedulingQueue {
  /** Puts in a new pod, or gives a waiting one its new state. */
  put(info: PodInfo): void;
  remove(uid: string): void;
  /** The next pod to try; it is out of the queue until put back. */
  next(): QueuedPod | undefined;
  /** After a failure that a plugin reported: waits for a change of the cluster. */
  putUnschedulable(pod: QueuedPod, plugins: ReadonlySet<string>): void;
  /** After an error: tried again when its back-off ends. */
  putBackoff(pod: QueuedPod): void;
  /** Pods that a plugin interested in this event turned away are tried again. */
  clusterChanged(kind: ClusterEventKind, interested: (plugin: string, kind: ClusterEventKind) => boolean): void;
  readonly counts: { active: number; backoff: number; unschedulable: number; gated: number };
  stop(): void;
}

const firstBackoffMs = 1000;
const maxBackoffMs = 10_000;
/** However still the cluster is, a pod is tried again after this. */
const longestWaitMs = 5 * 60_000;

/** `ready` is called whenever next() may have something to give. */
export function createSchedulingQueue({ clock, ready }: { clock: Clock; ready: () => void }): SchedulingQueue {
  const active = createHeap<QueuedPod>(comesFirst, (pod) => pod.info.uid);
  const backoff = createHeap<QueuedPod>(
    (a, b) => a.backoffUntilMs < b.backoffUntilMs,
    (pod) => pod.info.uid,
  );
  const unschedulable = new Map<string, QueuedPod & { sinceMs: number }>();
  const gated = new Map<string, QueuedPod>();
  let timer: Timer | undefined;

  const activate = (pod: QueuedPod): void => {
    active.push(pod);
    ready();
  };
  const wakeForBackoff = (): void => {
    timer?.cancel();
    const first = backoff.peek();
    timer = first && clock.after(Math.max(0, first.backoffUntilMs - clock.now()), endBackoffs);
  };
  const endBackoffs = (): void => {
    for (let first = backoff.peek(); first !== undefined && first.backoffUntilMs <= clock.now(); first = backoff.peek())
      activate(backoff.pop()!);
    wakeForBackoff();
  };
  const tryAgain = (pod: QueuedPod): void => {
    unschedulable.delete(pod.info.uid);
    if (pod.backoffUntilMs <= clock.now()) return activate(pod);
    backoff.push(pod);
    wakeForBackoff();
  };
  const startBackoff = (pod: QueuedPod): void => {
    pod.backoffUntilMs = clock.now() + Math.min(maxBackoffMs, firstBackoffMs * 2 ** (pod.attempts - 1));
  };
  const sweeper = clock.every(30_000, () => {
    for (const pod of [...unschedulable.values()]) if (clock.now() - pod.sinceMs >= longestWaitMs) tryAgain(pod);
  });

  return {
    put(info) {
      const { uid } = info;
      const isGated = Boolean(info.pod.spec.schedulingGates?.length);
      const trying = active.get(uid) ?? backoff.get(uid);
      const waiting = trying ?? unschedulable.get(uid) ?? gated.get(uid);
      if (waiting === undefined) {
        const pod = { info, attempts: 0, queuedMs: clock.now(), backoffUntilMs: 0, plugins: new Set<string>() };
        if (isGated) gated.set(uid, pod);
        else activate(pod);
        return;
      }
      const wasGated = gated.delete(uid);
      const changed = waiting.info.pod.metadata.generation !== info.pod.metadata.generation;
      waiting.info = info;
      if (isGated) gated.set(uid, waiting);
      else if (wasGated || (trying === undefined && changed)) tryAgain(waiting);
    },
    remove(uid) {
      active.remove(uid);
      backoff.remove(uid);
      unschedulable.delete(uid);
      gated.delete(uid);
    },
    next() {
      const pod = active.pop();
      if (pod !== undefined) pod.attempts++;
      return pod;
    },
    putUnschedulable(pod, plugins) {
      pod.plugins = plugins;
      startBackoff(pod);
      unschedulable.set(pod.info.uid, { ...pod, sinceMs: clock.now() });
    },
    putBackoff(pod) {
      startBackoff(pod);
      backoff.push(pod);
      wakeForBackoff();
    },
    clusterChanged(kind, interested) {
      for (const pod of [...unschedulable.values()]) if ([...pod.plugins].some((plugin) => interested(plugin, kind))) tryAgain(pod);
    },
    get counts() {
      return { active: active.size, backoff: backoff.size, unschedulable: unschedulable.size, gated: gated.size };
    },
    stop() {
      timer?.cancel();
      sweeper.cancel();
    },
  };
}

function comesFirst(a: QueuedPod, b: QueuedPod): boolean {
  return a.info.priority !== b.info.priority ? a.info.priority > b.info.priority : a.queuedMs < b.queuedMs;
}
