// Creates and deletes a ReplicaSet's pods, each told as an event and each expected to show up in the cache.
import type { ReplicaSet } from '#api/generated/apps-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { pods, replicasets } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { keyOf } from '#api/meta/object.ts';
import type { ControllerContext } from '../runtime/controller.ts';
import type { Expectations } from '../runtime/expectations.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/failures.ts';
import { controllerReference } from '#api/meta/owner-references.ts';

/** Creates in batches of 1, 2, 4, …: a template that is refused costs a few requests, not hundreds. Throws the first error of the batch that failed. */
export async function createPods(
  context: ControllerContext,
  expectations: Expectations,
  replicaSet: ReplicaSet,
  count: number,
): Promise<void> {
  const key = keyOf(replicaSet);
  expectations.expectCreations(key, count);
  let left = count;
  for (let batch = Math.min(1, left); batch > 0; batch = Math.min(2 * batch, left)) {
    const results = await Promise.allSettled(Array.from({ length: batch }, () => createPod(context, replicaSet)));
    left -= batch;
    const failed = results.filter((result) => result.status === 'rejected');
    if (failed.length === 0) continue;
    for (let i = 0; i < failed.length + left; i++) expectations.creationObserved(key);
    if (failed.every(({ reason }) => isNamespaceTerminating(reason))) return;
    throw failed[0]!.reason;
  }
}

async function createPod({ client, events }: ControllerContext, replicaSet: ReplicaSet): Promise<void> {
  try {
    const pod = await client.create(pods, podOf(replicaSet));
    events.event(replicaSet, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  } catch (error) {
    // Only created things fail in a namespace that is going: nobody need read about it.
    if (!isNamespaceTerminating(error)) events.event(replicaSet, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
    throw error;
  }
}

function podOf(replicaSet: ReplicaSet): Pod {
  const { metadata, spec } = replicaSet.spec.template!;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${replicaSet.metadata.name}-`,
      namespace: replicaSet.metadata.namespace,
      ...(metadata?.labels && { labels: metadata.labels }),
      ...(metadata?.annotations && { annotations: metadata.annotations }),
      ...(metadata?.finalizers && { finalizers: metadata.finalizers }),
      ownerReferences: [controllerReference(replicasets, replicaSet)],
    },
    spec: spec!,
  };
}

export async function deletePods(
  context: ControllerContext,
  expectations: Expectations,
  replicaSet: ReplicaSet,
  doomed: readonly Pod[],
): Promise<void> {
  const key = keyOf(replicaSet);
  expectations.expectDeletions(
    key,
    doomed.map((pod) => pod.metadata.uid!),
  );
  const results = await Promise.allSettled(
    doomed.map(async (pod) => {
      try {
        await deletePod(context, replicaSet, pod);
      } catch (error) {
        expectations.deletionObserved(key, pod.metadata.uid!);
        if (!isNotFound(error)) throw error;
      }
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function deletePod({ client, events }: ControllerContext, replicaSet: ReplicaSet, pod: Pod): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  try {
    await client.delete(pods, { namespace, name: name! }, { preconditions: { uid } });
    events.event(replicaSet, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
  } catch (error) {
    if (!isNotFound(error)) events.event(replicaSet, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
    throw error;
  }
}
