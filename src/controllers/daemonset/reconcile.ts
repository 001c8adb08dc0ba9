// What a DaemonSet needs, decided from what was observed: pods to create on nodes or delete, the next step of a rollout, its status.
import type { DaemonSet, DaemonSetStatus } from '#api/generated/apps-v1.ts';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { isPodAvailable, isPodReady } from '#api/core/pod-state.ts';
import { scaledIntOrPercent } from '#api/meta/int-or-string.ts';
import { revisionHashLabel } from '../history/revisions.ts';
import type { Wish } from './placement.ts';
import { targetNode, wishFor } from './placement.ts';

/** A node with the DaemonSet's pods on it, those that are going among them. */
interface Place {
  node: Node;
  wish: Wish;
  pods: Pod[];
}

export interface Observed {
  places: Place[];
  /** Pods for nodes that are gone, bound or not. */
  stray: Pod[];
  /** The hash that pods of the current template carry. */
  hash: string;
  nowMs: number;
}

export interface Plan {
  /** Names of nodes. */
  create: string[];
  delete: Pod[];
}

export function observe(daemonSet: DaemonSet, nodes: readonly Node[], pods: readonly Pod[], hash: string, nowMs: number): Observed {
  const byNode = new Map<string, Pod[]>();
  for (const pod of pods) {
    const target = targetNode(pod) ?? '';
    byNode.set(target, [...(byNode.get(target) ?? []), pod]);
  }
  const places = nodes.map((node) => {
    const there = byNode.get(node.metadata.name!) ?? [];
    byNode.delete(node.metadata.name!);
    return { node, wish: wishFor(daemonSet, node), pods: there.sort(oldestFirst) };
  });
  // A pod that was bound to a node is the pod garbage collector's once that node is gone.
  const stray = [...byNode.values()].flat().filter((pod) => !pod.spec.nodeName && isStaying(pod));
  return { places, stray, hash, nowMs };
}

const isStaying = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined;
const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Failed' || status?.phase === 'Succeeded';
const isCurrent = (pod: Pod, hash: string): boolean => pod.metadata.labels?.[revisionHashLabel] === hash;
const bound = ({ spec }: Pod): number => (spec.nodeName ? 0 : 1);

/** Bound pods before others, the oldest first, so that the same one is kept each time. */
function oldestFirst(a: Pod, b: Pod): number {
  const [one, other] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return bound(a) - bound(b) || (one < other ? -1 : one > other ? 1 : a.metadata.name! < b.metadata.name! ? -1 : 1);
}

/** One pod on each node that should have one; with a surge, an old and a new one side by side. `ended` names pods that are finished. */
export function plan(daemonSet: DaemonSet, observed: Observed): Plan & { ended: Pod[] } {
  const create: string[] = [];
  const surplus: Pod[] = [...observed.stray];
  const ended: Pod[] = [];
  for (const { node, wish, pods } of observed.places) {
    if (wish.run && pods.length === 0) create.push(node.metadata.name!);
    else if (!wish.stay) surplus.push(...pods.filter(isStaying));
    else {
      const staying = pods.filter(isStaying);
      ended.push(...staying.filter(hasEnded));
      surplus.push(
        ...surplusOf(
          daemonSet,
          staying.filter((pod) => !hasEnded(pod)),
          observed,
        ),
      );
    }
  }
  return { create, delete: surplus, ended };
}

function surplusOf(daemonSet: DaemonSet, running: readonly Pod[], { hash, nowMs }: Observed): Pod[] {
  if (running.length <= 1) return [];
  if (limits(daemonSet, running.length).maxSurge === 0) return running.slice(1);
  const fresh = running.find((pod) => isCurrent(pod, hash));
  const old = running.find((pod) => !isCurrent(pod, hash));
  const surplus = running.filter((pod) => pod !== fresh && pod !== old);
  if (fresh === undefined || old === undefined) return surplus;
  const isReplaced = !isPodReady(old) || isPodAvailable(fresh, daemonSet.spec.minReadySeconds ?? 0, nowMs);
  return isReplaced ? [...surplus, old] : surplus;
}

function limits(daemonSet: DaemonSet, desired: number): { maxSurge: number; maxUnavailable: number } {
  const { type, rollingUpdate } = daemonSet.spec.updateStrategy ?? {};
  if (type !== 'RollingUpdate') return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = scaledIntOrPercent(rollingUpdate?.maxSurge ?? 0, desired, true);
  const maxUnavailable = scaledIntOrPercent(rollingUpdate?.maxUnavailable ?? 1, desired, true);
  // Percentages of nothing: a rollout must still get on.
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}

/** The next step of a rolling update. */
export function planUpdate(daemonSet: DaemonSet, observed: Observed): Plan {
  const desired = observed.places.filter(({ wish }) => wish.run).length;
  const { maxSurge, maxUnavailable } = limits(daemonSet, desired);
  return maxSurge === 0 ? replaceInPlace(daemonSet, observed, maxUnavailable) : surge(daemonSet, observed, maxSurge);
}

function replaceInPlace(daemonSet: DaemonSet, { places, hash, nowMs }: Observed, maxUnavailable: number): Plan {
  const isAvailable = (pod: Pod) => isPodAvailable(pod, daemonSet.spec.minReadySeconds ?? 0, nowMs);
  const broken: Pod[] = [];
  const candidates: Pod[] = [];
  let unavailable = 0;
  for (const { pods, wish } of places) {
    if (pods.length === 0 && !wish.run) continue;
    const staying = pods.filter(isStaying);
    const only = staying.length === 1 ? staying[0]! : undefined;
    if (only === undefined || !isAvailable(only)) unavailable++;
    if (only === undefined || isCurrent(only, hash)) continue;
    (isAvailable(only) ? candidates : broken).push(only);
  }
  return { create: [], delete: [...broken, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))] };
}

function surge(daemonSet: DaemonSet, { places, hash, nowMs }: Observed, maxSurge: number): Plan {
  const isAvailable = (pod: Pod) => isPodAvailable(pod, daemonSet.spec.minReadySeconds ?? 0, nowMs);
  const atOnce: string[] = [];
  const candidates: string[] = [];
  const replaced: Pod[] = [];
  let surging = 0;
  for (const { node, pods } of places) {
    const staying = pods.filter(isStaying);
    const fresh = staying.filter((pod) => isCurrent(pod, hash));
    const old = staying.filter((pod) => !isCurrent(pod, hash));
    if (old.length !== 1 || fresh.length > 1) {
      if (old.length > 0) surging++;
      continue;
    }
    if (fresh[0] === undefined) (isAvailable(old[0]!) ? candidates : atOnce).push(node.metadata.name!);
    else if (isAvailable(fresh[0])) replaced.push(old[0]!);
    else surging++;
  }
  return { create: [...atOnce, ...candidates.slice(0, Math.max(0, maxSurge - surging))], delete: replaced };
}

export function statusOf(daemonSet: DaemonSet, { places, hash, nowMs }: Observed): DaemonSetStatus {
  const wanted = places.filter(({ wish }) => wish.run);
  const first = wanted.flatMap(({ pods }) => pods.slice(0, 1));
  const available = first.filter((pod) => isPodAvailable(pod, daemonSet.spec.minReadySeconds ?? 0, nowMs)).length;
  const { collisionCount, conditions } = daemonSet.status ?? {};
  return {
    currentNumberScheduled: first.length,
    numberMisscheduled: places.filter(({ wish, pods }) => !wish.run && pods.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: first.filter(isPodReady).length,
    observedGeneration: daemonSet.metadata.generation,
    updatedNumberScheduled: first.filter((pod) => isCurrent(pod, hash)).length,
    numberAvailable: available,
    numberUnavailable: wanted.length - available,
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions && { conditions }),
  };
}
