// Creates and deletes the pods of whatever makes pods from a template, each told as an event and each expected to show up in the cache.
import type { Pod, PodTemplateSpec } from '#api/generated/core-v1.ts';
import { pods } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { keyOf } from '#api/meta/object.ts';
import { controllerReference } from '#api/meta/owner-references.ts';
import type { ControllerContext } from './controller.ts';
import type { Expectations } from './expectations.ts';
import { isNamespaceTerminating, messageOf } from './failures.ts';

export interface PodMaker {
  context: ControllerContext;
  expectations: Expectations;
  owner: KubeObject;
  resource: Pick<ResourceType, 'group' | 'version' | 'kind'>;
}

/** A pod of the template, controlled by the owner, whose name the server makes up. */
export function podOf({ owner, resource }: Pick<PodMaker, 'owner' | 'resource'>, template: PodTemplateSpec): Pod {
  const { metadata, spec } = template;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      ...(metadata?.labels && { labels: metadata.labels }),
      ...(metadata?.annotations && { annotations: metadata.annotations }),
      ...(metadata?.finalizers && { finalizers: metadata.finalizers }),
      ownerReferences: [controllerReference(resource, owner)],
    },
    spec: spec!,
  };
}

/** Creates in batches of 1, 2, 4, …: a template that is refused costs a few requests, not hundreds. Throws the first error of the batch that failed. */
export async function createPods(maker: PodMaker, wanted: readonly Pod[]): Promise<void> {
  const { expectations } = maker;
  const key = keyOf(maker.owner);
  expectations.expectCreations(key, wanted.length);
  let left = wanted.length;
  for (let batch = Math.min(1, left); batch > 0; batch = Math.min(2 * batch, left)) {
    const from = wanted.length - left;
    const results = await Promise.allSettled(wanted.slice(from, from + batch).map((pod) => createPod(maker, pod)));
    left -= batch;
    const failed = results.filter((result) => result.status === 'rejected');
    if (failed.length === 0) continue;
    for (let i = 0; i < failed.length + left; i++) expectations.creationObserved(key);
    if (failed.every(({ reason }) => isNamespaceTerminating(reason))) return;
    throw failed[0]!.reason;
  }
}

async function createPod({ context: { client, events }, owner }: PodMaker, wanted: Pod): Promise<void> {
  try {
    const pod = await client.create(pods, wanted);
    events.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  } catch (error) {
    // Only created things fail in a namespace that is going: nobody need read about it.
    if (!isNamespaceTerminating(error)) events.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
    throw error;
  }
}

export async function deletePods(maker: PodMaker, doomed: readonly Pod[]): Promise<void> {
  const { expectations } = maker;
  const key = keyOf(maker.owner);
  expectations.expectDeletions(
    key,
    doomed.map((pod) => pod.metadata.uid!),
  );
  const results = await Promise.allSettled(
    doomed.map(async (pod) => {
      try {
        await deletePod(maker, pod);
      } catch (error) {
        expectations.deletionObserved(key, pod.metadata.uid!);
        if (!isNotFound(error)) throw error;
      }
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function deletePod({ context: { client, events }, owner }: Pick<PodMaker, 'context' | 'owner'>, pod: Pod): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  try {
    await client.delete(pods, { namespace, name: name! }, { preconditions: { uid } });
    events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
  } catch (error) {
    if (!isNotFound(error)) events.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
    throw error;
  }
}
