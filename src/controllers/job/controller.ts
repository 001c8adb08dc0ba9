// The Job controller: runs pods to their ends as often as asked, and counts each of them exactly once, whatever stops in between.
import type { Job } from '#api/generated/batch-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { jobs, pods } from '#api/generated/resources.ts';
import { isPodActive } from '#api/core/pod-state.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { keyOf } from '#api/meta/object.ts';
import { controllerOf } from '#api/meta/owner-references.ts';
import type { Informer } from '#client/informer.ts';
import { claimAll } from '../runtime/claim.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import type { Expectations } from '../runtime/expectations.ts';
import { createExpectations } from '../runtime/expectations.ts';
import { byController, byNamespace, controllerIndex, namespaceIndex, orphansOf } from '../runtime/indexes.ts';
import { createPods, deletePods } from '../runtime/owned-pods.ts';
import { watchOwnedPods, watchOwners } from '../runtime/owned-pod-handlers.ts';
import type { Outcome, Reconciler } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { isTracked, trackingFinalizer } from './pods.ts';
import { decide, isFinished } from './reconcile.ts';

interface World {
  context: ControllerContext;
  jobs: Informer<Job>;
  pods: Informer<Pod>;
  expectations: Expectations;
  /** By uid, the revision that each Job had after our last write: an older one in the cache would be counted from twice. */
  written: Map<string, number>;
}

export const jobController: Controller = {
  name: 'job',
  serviceAccount: 'job-controller',
  start(context) {
    const world: World = {
      context,
      jobs: context.informers.informer(jobs),
      pods: context.informers.informer(pods),
      expectations: createExpectations(context.clock),
      written: new Map(),
    };
    world.jobs.addIndex(byNamespace, namespaceIndex);
    world.pods.addIndex(byController, controllerIndex);
    const waitFor = [world.jobs, world.pods];
    const reconciler = startReconciler(context, { name: 'job', waitFor, reconcile: (key) => reconcile(world, key) });
    const orphans = startReconciler(context, { name: 'job_orphan_pods', waitFor, reconcile: (key) => releaseOrphan(world, key) });
    const { enqueue } = reconciler;
    const selects = ({ spec }: Job, labels: Record<string, string> | undefined) => selectorOfLabelSelector(spec.selector).matches(labels);
    const handlers = [
      watchOwners({ owners: world.jobs, expectations: world.expectations, enqueue }),
      watchOwnedPods({ owners: world.jobs, pods: world.pods, expectations: world.expectations, selects, enqueue }),
      watchOrphans(world, orphans),
    ];
    return stopTogether(handlers, [reconciler, orphans]);
  },
};

/** Pods that are held for a Job that is gone, or that let go of them, must not be held for ever. */
function watchOrphans(world: World, { enqueue }: Reconciler): () => void {
  const look = (pod: Pod): void => {
    if (isTracked(pod) && jobOf(world, pod) === undefined) enqueue(keyOf(pod));
  };
  const removePods = world.pods.addHandlers({ added: look, updated: (_old, pod) => look(pod) });
  const removeJobs = world.jobs.addHandlers({
    deleted({ metadata }) {
      world.written.delete(metadata.uid!);
      for (const pod of world.pods.byIndex(byController, metadata.uid!)) look(pod);
    },
  });
  return () => {
    removePods();
    removeJobs();
  };
}

function jobOf(world: World, pod: Pod): Job | undefined {
  const controller = controllerOf(pod);
  if (controller?.kind !== 'Job') return undefined;
  const job = world.jobs.get(`${pod.metadata.namespace}/${controller.name}`);
  return job?.metadata.uid === controller.uid ? job : undefined;
}

async function releaseOrphan(world: World, key: string): Promise<void> {
  const pod = world.pods.get(key);
  if (pod === undefined || !isTracked(pod) || jobOf(world, pod) !== undefined) return;
  await release(world.context, pod);
}

async function reconcile(world: World, key: string): Promise<Outcome | undefined> {
  const { context, expectations, written } = world;
  const job = world.jobs.get(key);
  if (job === undefined) {
    expectations.forget(key);
    return undefined;
  }
  // Somebody else's, or all done.
  if ((job.spec.managedBy ?? ownName) !== ownName || isFinished(job)) return undefined;
  if (Number(job.metadata.resourceVersion) < (written.get(job.metadata.uid!) ?? 0)) return undefined;
  const owned = await claimPods(world, job);
  if (job.metadata.deletionTimestamp !== undefined) {
    // Nothing of it will be counted any more.
    for (const pod of owned.filter(isTracked)) await release(context, pod);
    return undefined;
  }
  const decision = decide(job, owned, expectations.satisfied(key), context.clock.now());
  const maker = { context, expectations, owner: job, resource: jobs };
  let failure: unknown;
  try {
    await Promise.all(decision.discard.map((pod) => release(context, pod)));
    const doomed = [...decision.discard, ...decision.delete];
    if (doomed.length > 0) await deletePods(maker, doomed);
    if (decision.create.length > 0) await createPods(maker, decision.create);
  } catch (error) {
    failure = error;
  }
  // First the books, then what they were kept from: a crash in between only repeats work.
  if (!saysTheSame(job.status, decision.status)) {
    const updated = await context.client.update(jobs, { ...job, status: decision.status }, { subresource: 'status' });
    written.set(job.metadata.uid!, Number(updated.metadata.resourceVersion));
    for (const { type, reason, message } of decision.events) context.events.event(job, type, reason, message);
  }
  await Promise.all(decision.release.map((pod) => release(context, pod)));
  if (failure !== undefined) throw failure;
  return decision.requeueAfterMs === undefined ? undefined : { requeueAfterMs: decision.requeueAfterMs };
}

const ownName = 'kubernetes.io/job-controller';

function claimPods({ context, pods: informer }: World, job: Job): Promise<Pod[]> {
  const selector = selectorOfLabelSelector(job.spec.selector);
  const candidates = [
    ...informer.byIndex(byController, job.metadata.uid!),
    ...informer.byIndex(byController, orphansOf(job.metadata.namespace!)).filter(isPodActive),
  ];
  const matches = (pod: Pod) => selector.matches(pod.metadata.labels);
  return claimAll({ client: context.client, owner: job, ownerResource: jobs, resource: pods, matches }, candidates);
}

async function release({ client }: ControllerContext, { metadata }: Pod): Promise<void> {
  const { namespace, name, uid } = metadata;
  const body = { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] } };
  try {
    await client.patch(pods, { namespace, name: name! }, { type: 'strategic', body });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
