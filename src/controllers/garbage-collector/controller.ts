// The garbage collector: deletes what has lost all its owners, and sees foreground and orphaning deletions through.
// It never trusts its caches that an owner is absent: it asks the server, by uid, before anything is deleted.
import type { OwnerReference } from '#api/generated/meta-v1.ts';
import { isConflict, isNotFound } from '#api/meta/errors.ts';
import type { KubeObject, ObjectRef } from '#api/meta/object.ts';
import { keyOf, qualifiedPlural, refOf } from '#api/meta/object.ts';
import type { Informer } from '#client/informer.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import type { Reconciler } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import type { Identity, OwnerGraph } from './graph.ts';
import { createOwnerGraph, ownerKey } from './graph.ts';
import type { OwnerState } from './reconcile.ts';
import {
  blocksDeletionOf,
  foregroundFinalizer,
  hasFinalizer,
  isDeleting,
  isWaitingForDependents,
  judge,
  orphanFinalizer,
} from './reconcile.ts';

interface World {
  context: ControllerContext;
  informers: Informer<KubeObject>[];
  graph: OwnerGraph;
  /** Uids found absent on the server. A uid never comes back, so this needs no expiry, only a bound. */
  absent: Set<string>;
}

const absentLimit = 5000;
const workers = 20;

/** Events are many, short-lived and own nothing. */
const ignored = new Set(['events', 'events.events.k8s.io']);

export const garbageCollector: Controller = {
  name: 'garbage-collector',
  serviceAccount: 'generic-garbage-collector',
  start(context) {
    const resources = context.resources.filter((resource) => !ignored.has(qualifiedPlural(resource)));
    const informers = resources.map((resource) => context.informers.informer(resource));
    const world: World = { context, informers, graph: createOwnerGraph(informers), absent: new Set() };
    const reconciler = startReconciler(context, {
      name: 'garbage-collector',
      waitFor: informers,
      workers,
      reconcile: (key) => reconcile(world, reconciler, key),
    });
    return stopTogether(
      informers.map((informer, position) => watch(world, reconciler, informer, position)),
      [reconciler],
    );
  },
};

/** `position uid key`: the uid guards against an object of the same name that came later. */
function queueKey(position: number, object: KubeObject): string {
  return `${position} ${object.metadata.uid} ${keyOf(object)}`;
}

function enqueueIdentity(world: World, { enqueue }: Reconciler, { informer, key, uid }: Identity): void {
  enqueue(`${world.informers.indexOf(informer)} ${uid} ${key}`);
}

function watch(world: World, reconciler: Reconciler, informer: Informer<KubeObject>, position: number): () => void {
  const { graph } = world;
  const enqueue = (object: KubeObject): void => reconciler.enqueue(queueKey(position, object));
  const enqueueOwners = (object: KubeObject): void => {
    for (const reference of object.metadata.ownerReferences ?? []) {
      const owner = cachedOwner(world, reference, object);
      if (owner !== undefined && isWaitingForDependents(owner.object)) enqueueIdentity(world, reconciler, owner);
    }
  };
  const seen = (object: KubeObject): void => {
    if (isDeleting(object)) {
      if (hasFinalizer(object, orphanFinalizer) || hasFinalizer(object, foregroundFinalizer)) enqueue(object);
    } else if (hasDoubtfulOwner(world, object)) enqueue(object);
  };
  return informer.addHandlers({
    added(object) {
      graph.add(informer, object);
      seen(object);
    },
    updated(old, object) {
      graph.update(informer, old, object);
      if (old.metadata.ownerReferences !== object.metadata.ownerReferences) enqueueOwners(old);
      seen(object);
    },
    deleted(object) {
      graph.remove(informer, object);
      remember(world.absent, object.metadata.uid!);
      for (const dependent of graph.dependentsOf(object.metadata.uid!)) enqueueIdentity(world, reconciler, dependent);
      enqueueOwners(object);
    },
  });
}

function cachedOwner({ graph }: World, reference: OwnerReference, dependent: KubeObject): (Identity & { object: KubeObject }) | undefined {
  const informer = graph.informerOf(reference);
  const key = informer && ownerKey(informer.resource, reference, dependent);
  if (informer === undefined || key === undefined) return undefined;
  const object = graph.resolve({ informer, key, uid: reference.uid });
  return object && { informer, key, uid: reference.uid, object };
}

function hasDoubtfulOwner(world: World, object: KubeObject): boolean {
  return (object.metadata.ownerReferences ?? []).some((reference) => {
    const owner = cachedOwner(world, reference, object);
    return owner === undefined || isWaitingForDependents(owner.object);
  });
}

async function reconcile(world: World, reconciler: Reconciler, queued: string): Promise<void> {
  const [position, uid, key] = queued.split(' ') as [string, string, string];
  const informer = world.informers[Number(position)]!;
  const object = world.graph.resolve({ informer, key, uid });
  if (object === undefined) return;
  if (isDeleting(object)) {
    if (hasFinalizer(object, orphanFinalizer)) await orphanDependents(world, informer, object);
    else if (isWaitingForDependents(object)) await finishForeground(world, reconciler, informer, object);
    return;
  }
  await collect(world, informer, object);
}

/** Deletes the object if all its owners are gone; drops the references to those that are. */
async function collect(world: World, informer: Informer<KubeObject>, cached: KubeObject): Promise<void> {
  const { client } = world.context;
  const { resource } = informer;
  const references = cached.metadata.ownerReferences ?? [];
  if (references.length === 0) return;
  const states = new Map<string, OwnerState>();
  for (const reference of references) states.set(reference.uid, await ownerState(world, reference, cached));
  const dependents = world.graph.dependentsOf(cached.metadata.uid!);
  const verdict = judge(cached, ({ uid }) => states.get(uid)!, dependents.length > 0);
  if (verdict.act === 'keep') return;
  const { uid, resourceVersion } = cached.metadata;
  const ref = refOf(keyOf(cached));
  try {
    if (verdict.act === 'dropReferences') {
      const body = { metadata: { uid, resourceVersion, ownerReferences: verdict.keep } };
      await client.patch(resource, ref, { type: 'merge', body });
      return;
    }
    if (verdict.policy === 'Foreground' && [...states.values()].includes('waiting')) await unblockCycle(world, cached, dependents);
    // The resourceVersion makes sure that the references that were judged are the ones that it still has.
    await client.delete(resource, ref, { propagationPolicy: verdict.policy, preconditions: { uid, resourceVersion } });
  } catch (error) {
    if (isNotFound(error) || (isConflict(error) && (await isAnother(world, informer, ref, uid!)))) return;
    throw error;
  }
}

async function isAnother({ context }: World, { resource }: Informer<KubeObject>, ref: ObjectRef, uid: string): Promise<boolean> {
  const live = await liveUid(context, resource, ref);
  return live !== uid;
}

async function liveUid(
  { client }: ControllerContext,
  resource: Informer<KubeObject>['resource'],
  ref: ObjectRef,
): Promise<string | undefined> {
  try {
    return (await client.get(resource, ref)).metadata.uid;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Asked of the cache where that says that the owner exists, else of the server. */
async function ownerState(world: World, reference: OwnerReference, dependent: KubeObject): Promise<OwnerState> {
  const { context, graph, absent } = world;
  const cached = cachedOwner(world, reference, dependent);
  if (cached !== undefined) return isWaitingForDependents(cached.object) ? 'waiting' : 'present';
  if (absent.has(reference.uid)) return 'absent';
  const informer = graph.informerOf(reference);
  // A kind that is not served: whether its objects exist cannot be known, so nothing that they own is touched.
  if (informer === undefined) return 'present';
  const key = ownerKey(informer.resource, reference, dependent);
  if (key === undefined) {
    const { kind, namespace, name, uid } = { ...dependent.metadata, kind: dependent.kind };
    const message = `ownerRef ${describe(reference)} does not exist in namespace "${namespace ?? ''}"`;
    context.events.event({ kind, apiVersion: dependent.apiVersion, name, uid }, 'Warning', 'OwnerRefInvalidNamespace', message);
    return 'present';
  }
  if ((await liveUid(context, informer.resource, refOf(key))) === reference.uid) return 'present';
  remember(absent, reference.uid);
  return 'absent';
}

function describe({ apiVersion, kind, name, uid }: OwnerReference): string {
  return `[${apiVersion}/${kind}, namespace: , name: ${name}, uid: ${uid}]`;
}

/** Objects that wait for each other in the foreground would wait for ever: one that is waiting already blocks no longer. */
async function unblockCycle({ context, graph }: World, object: KubeObject, dependents: Identity[]): Promise<void> {
  for (const dependent of dependents) {
    const current = graph.resolve(dependent);
    if (current === undefined || !isWaitingForDependents(current)) continue;
    if (!object.metadata.ownerReferences!.some(({ blockOwnerDeletion }) => blockOwnerDeletion === true)) return;
    const { uid, resourceVersion } = object.metadata;
    const ownerReferences = object.metadata.ownerReferences!.map((reference) => ({ ...reference, blockOwnerDeletion: false }));
    const informer = graph.informerOf({ apiVersion: object.apiVersion!, kind: object.kind!, name: '', uid: '' });
    if (informer === undefined) return;
    await context.client.patch(informer.resource, refOf(keyOf(object)), {
      type: 'merge',
      body: { metadata: { uid, resourceVersion, ownerReferences } },
    });
    // The delete that follows carries the old resourceVersion and fails with a conflict; the next run sees no block.
    return;
  }
}

/** The finalizer goes when nothing blocks any more; until then the dependents are deleted. */
async function finishForeground(world: World, reconciler: Reconciler, informer: Informer<KubeObject>, owner: KubeObject): Promise<void> {
  const blocking = world.graph.dependentsOf(owner.metadata.uid!).filter((identity) => {
    const dependent = world.graph.resolve(identity);
    return dependent !== undefined && blocksDeletionOf(dependent, owner.metadata.uid!);
  });
  if (blocking.length === 0) return removeFinalizer(world, informer, owner, foregroundFinalizer);
  for (const identity of blocking) if (!isDeleting(world.graph.resolve(identity)!)) enqueueIdentity(world, reconciler, identity);
}

/** The dependents live on without their owner; then the owner may go. */
async function orphanDependents(world: World, informer: Informer<KubeObject>, owner: KubeObject): Promise<void> {
  const { client } = world.context;
  const results = await Promise.allSettled(
    world.graph.dependentsOf(owner.metadata.uid!).map(async (identity) => {
      const dependent = world.graph.resolve(identity);
      const references = dependent?.metadata.ownerReferences ?? [];
      if (dependent === undefined || !references.some(({ uid }) => uid === owner.metadata.uid)) return;
      const { uid, resourceVersion } = dependent.metadata;
      const ownerReferences = references.filter((reference) => reference.uid !== owner.metadata.uid);
      const body = { metadata: { uid, resourceVersion, ownerReferences: ownerReferences.length > 0 ? ownerReferences : null } };
      await client.patch(identity.informer.resource, refOf(identity.key), { type: 'merge', body });
    }),
  );
  for (const result of results) if (result.status === 'rejected' && !isNotFound(result.reason)) throw result.reason;
  await removeFinalizer(world, informer, owner, orphanFinalizer);
}

async function removeFinalizer(world: World, { resource }: Informer<KubeObject>, object: KubeObject, finalizer: string): Promise<void> {
  const { uid, resourceVersion, finalizers = [] } = object.metadata;
  const body = { metadata: { uid, resourceVersion, finalizers: finalizers.filter((name) => name !== finalizer) } };
  try {
    await world.context.client.patch(resource, refOf(keyOf(object)), { type: 'merge', body });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function remember(set: Set<string>, value: string): void {
  set.add(value);
  if (set.size > absentLimit) set.delete(set.values().next().value!);
}
