// Eviction: a delete of a pod that says why, and that its disruption budget may refuse.
import type { Pod } from '#api/generated/core-v1.ts';
import type { Eviction } from '#api/generated/policy-v1.ts';
import { badRequest } from '#api/meta/errors.ts';
import { copyOf } from '#api/meta/object.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { toTime } from '#lib/clock.ts';
import { deleteObject } from '../endpoints/delete.ts';
import type { DeleteOptionsBody } from '../endpoints/deletion.ts';
import { updateObject } from '../endpoints/update.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { RequestContext } from '../request.ts';
import type { SubresourceCreate } from './binding.ts';
import { chargeBudget } from './disruption-budget.ts';

export async function evictPod(core: Core, pods: ServedResource, request: SubresourceCreate & { context: RequestContext }): Promise<void> {
  const eviction = request.body as unknown as Eviction;
  const { name, namespace, context, dryRun } = request;
  const given = eviction.metadata?.name;
  if (given && given !== name) throw badRequest('name in URL does not match name in Eviction object');
  const options = (eviction.deleteOptions ?? {}) as DeleteOptionsBody;
  const pod = core.world.cache(pods.prefix).get(pods.keyOf(namespace, name))?.object as Pod | undefined;
  const isTrial = dryRun || (options.dryRun ?? []).includes('All');
  if (pod !== undefined) await chargeBudget(core, pod, isTrial);
  // A pod that already ended is simply deleted; a running one is told what happens to it.
  const marks =
    pod !== undefined && pod.metadata.deletionTimestamp === undefined && !['Succeeded', 'Failed'].includes(pod.status?.phase ?? '');
  if (marks && !isTrial) {
    await updateObject(core, pods, {
      context,
      namespace,
      name,
      subresource: 'status',
      dryRun,
      desired: (current) => withDisruptionTarget(current, toTime(core.clock.now())),
    });
  }
  await deleteObject(core, pods, { context, namespace, name, options, dryRun: isTrial });
}

function withDisruptionTarget(current: KubeObject, now: string): KubeObject {
  const pod = copyOf(current) as unknown as Pod;
  const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== 'DisruptionTarget');
  const target = {
    type: 'DisruptionTarget',
    status: 'True',
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    lastTransitionTime: now,
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  };
  pod.status = { ...pod.status, conditions: [...others, target] } as Pod['status'];
  return pod as unknown as KubeObject;
}
