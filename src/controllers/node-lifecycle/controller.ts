// The node lifecycle controller: notices nodes that fall silent, says so in their status, and taints them so that
// nothing new comes and what runs there is evicted (by taint-eviction).
import type { Lease } from '#api/generated/coordination-v1.ts';
import type { Node, NodeCondition, Pod, Taint } from '#api/generated/core-v1.ts';
import { leases, nodes, pods } from '#api/generated/resources.ts';
import { conditionOf } from '#api/meta/conditions.ts';
import { isConflict, isNotFound } from '#api/meta/errors.ts';
import type { Informer } from '#client/informer.ts';
import { toTime } from '#lib/clock.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { messageOf } from '../runtime/failures.ts';
import { byNode, nodeIndex } from '../runtime/indexes.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import type { NodeHealth } from './health.ts';
import { observe, unknownConditions } from './health.ts';
import { markPodsNotReady } from './pods-not-ready.ts';
import { noExecuteKey, withNoExecuteTaint, withNoScheduleTaints } from './taints.ts';
import type { EvictionPace } from './zones.ts';
import { createEvictionPace } from './zones.ts';

export interface NodeLifecycleOptions {
  monitorPeriodMs?: number;
  /** How long a node may be silent before it counts as lost. */
  monitorGraceMs?: number;
  /** The same for a node that has never reported. */
  startupGraceMs?: number;
}

interface World {
  context: ControllerContext;
  options: Required<NodeLifecycleOptions>;
  nodes: Informer<Node>;
  leases: Informer<Lease>;
  pods: Informer<Pod>;
  health: Map<string, NodeHealth>;
  /** Nodes whose pods could not all be marked. */
  retry: Set<string>;
  pace: EvictionPace;
}

const leaseNamespace = 'kube-node-lease';

export function nodeLifecycleController(options: NodeLifecycleOptions = {}): Controller {
  return {
    name: 'node-lifecycle',
    serviceAccount: 'node-controller',
    start: (context) => startNodeLifecycle(context, { monitorPeriodMs: 5_000, monitorGraceMs: 50_000, startupGraceMs: 60_000, ...options }),
  };
}

function startNodeLifecycle(context: ControllerContext, options: Required<NodeLifecycleOptions>) {
  const { informers, clock } = context;
  const world: World = {
    context,
    options,
    nodes: informers.informer(nodes),
    leases: informers.informer(leases, { namespace: leaseNamespace }),
    pods: informers.informer(pods),
    health: new Map(),
    retry: new Set(),
    pace: createEvictionPace(clock),
  };
  world.pods.addIndex(byNode, nodeIndex);
  const waitFor = [world.nodes, world.leases, world.pods];
  const tainter = startReconciler(context, {
    name: 'node-lifecycle-taints',
    waitFor,
    reconcile: (name) => taintNoSchedule(world, name),
  });
  // One key: passes never overlap, and each asks for the next.
  const monitor = startReconciler(context, {
    name: 'node-lifecycle',
    waitFor,
    workers: 1,
    async reconcile() {
      await checkAll(world);
      return { requeueAfterMs: options.monitorPeriodMs };
    },
  });
  monitor.enqueue('all');
  const enqueue = (node: Node): void => tainter.enqueue(node.metadata.name!);
  const remove = world.nodes.addHandlers({ added: enqueue, updated: (_old, node) => enqueue(node) });
  return stopTogether([remove], [tainter, monitor]);
}

async function taintNoSchedule({ context, nodes: informer }: World, name: string): Promise<void> {
  const node = informer.get(name);
  if (node === undefined) return;
  const taints = withNoScheduleTaints(node, toTime(context.clock.now()));
  if (taints !== undefined) await writeTaints(context, node, taints);
}

async function writeTaints({ client }: ControllerContext, node: Node, taints: Taint[]): Promise<void> {
  const { name, uid, resourceVersion } = node.metadata;
  // Taints are a list without a key: the resourceVersion keeps two writers from undoing each other.
  const body = { metadata: { uid, resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } };
  await client.patch(nodes, { name: name! }, { type: 'merge', body }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

/** One monitoring pass over all nodes. A node that fails does not keep the others from being looked at. */
async function checkAll(world: World): Promise<void> {
  const all = world.nodes.list();
  forgetDeleted(world);
  const current: Node[] = [];
  for (const node of all) {
    try {
      current.push(await checkNode(world, node));
    } catch (error) {
      if (!isConflict(error)) world.context.log.warn({ node: node.metadata.name, err: error }, 'node health not updated');
      current.push(node);
    }
  }
  world.pace.update(current);
  for (const node of current) await taintNoExecute(world, node);
}

function forgetDeleted({ context, nodes: informer, health, retry }: World): void {
  for (const name of health.keys()) {
    if (informer.get(name) !== undefined) continue;
    health.delete(name);
    retry.delete(name);
    const message = `Node ${name} event: Removing Node ${name} from Controller`;
    context.events.event({ kind: 'Node', apiVersion: 'v1', name, uid: name }, 'Normal', 'RemovingNode', message);
  }
}

/** Answers the node as it is after the check. */
async function checkNode(world: World, node: Node): Promise<Node> {
  const { context, options, health, retry } = world;
  const { clock, events, client } = context;
  const name = node.metadata.name!;
  const known = health.get(name);
  if (known === undefined) events.event(node, 'Normal', 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`);
  const seen = observe(known, node, world.leases.get(`${leaseNamespace}/${name}`), clock.monotonicMs());
  health.set(name, seen);
  const before = conditionOf<NodeCondition>(node.status?.conditions, 'Ready');
  const graceMs = before === undefined ? options.startupGraceMs : options.monitorGraceMs;
  let current = node;
  if (clock.monotonicMs() - seen.heardMs > graceMs) {
    const conditions = unknownConditions(node, clock.now());
    if (conditions !== undefined) {
      current = await client.update(nodes, { ...node, status: { ...node.status, conditions } }, { subresource: 'status' });
    }
  }
  const isLost = conditionOf<NodeCondition>(current.status?.conditions, 'Ready')?.status !== 'True';
  if (!isLost) retry.delete(name);
  if (isLost && before?.status === 'True') {
    events.event(current, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
    retry.add(name);
  }
  if (retry.has(name)) {
    try {
      await markPodsNotReady(context, world.pods.byIndex(byNode, name));
      retry.delete(name);
    } catch (error) {
      context.log.warn({ node: name, err: error }, `pods not marked, will be repeated: ${messageOf(error)}`);
    }
  }
  return current;
}

/** Nodes are tainted for eviction at a pace that their zone's state allows; the taint goes at once when they are back. */
async function taintNoExecute({ context, pace }: World, node: Node): Promise<void> {
  const key = pace.isSuspended() ? undefined : noExecuteKey(node);
  const taints = withNoExecuteTaint(node, key, toTime(context.clock.now()));
  if (taints === undefined) return;
  const isNew = key !== undefined && !(node.spec?.taints ?? []).some((taint) => taint.key === key && taint.effect === 'NoExecute');
  if (isNew && !pace.mayEvict(node)) return;
  try {
    await writeTaints(context, node, taints);
  } catch (error) {
    if (!isConflict(error)) context.log.warn({ node: node.metadata.name, err: error }, 'node not tainted, will be repeated');
  }
}
