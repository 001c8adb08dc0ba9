// How many pods the owners of some pods want: replica sets speak for their deployments, everything else through its scale.
import type { Pod } from '#api/generated/core-v1.ts';
import type { OwnerReference } from '#api/generated/meta-v1.ts';
import type { ReplicaSet } from '#api/generated/apps-v1.ts';
import type { Scale } from '#api/generated/autoscaling-v1.ts';
import { deployments, replicasets } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import type { ResourceType } from '#api/meta/object.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { controllerOf } from '#api/meta/owner-references.ts';
import type { ControllerContext } from '../runtime/controller.ts';

export interface Expected {
  count: number;
  /** Pods that nobody controls: they count for nothing. */
  unmanaged: Pod[];
}

export interface Scales {
  expectedOf(pods: readonly Pod[]): Promise<Expected>;
  /** What must hold its first list before anyone is asked. */
  readonly informers: readonly { readonly synced: Promise<void> }[];
}

export function createScales({ client, informers, resources }: ControllerContext): Scales {
  const replicaSets = informers.informer(replicasets);
  const deploymentInformer = informers.informer(deployments);

  const ofReplicaSet = (replicaSet: ReplicaSet): [string, number] => {
    const owner = controllerOf(replicaSet);
    const deployment = owner?.kind === 'Deployment' ? deploymentInformer.get(`${replicaSet.metadata.namespace}/${owner.name}`) : undefined;
    if (deployment?.metadata.uid === owner?.uid && deployment !== undefined)
      return [deployment.metadata.uid!, deployment.spec.replicas ?? 0];
    return [replicaSet.metadata.uid!, replicaSet.spec.replicas ?? 0];
  };

  /** Undefined: the owner is gone, or another one of its name. */
  const scaleOf = async (pod: Pod, owner: OwnerReference): Promise<[string, number] | undefined> => {
    const { namespace } = pod.metadata;
    if (owner.kind === 'ReplicaSet') {
      const replicaSet = replicaSets.get(`${namespace}/${owner.name}`);
      if (replicaSet?.metadata.uid === owner.uid) return ofReplicaSet(replicaSet);
    }
    const group = groupOf(owner.apiVersion);
    const type = resources.find((resource) => resource.kind === owner.kind && groupOf(apiVersionOf(resource)) === group);
    if (type === undefined) throw new Error(`no matches for kind "${owner.kind}" in group "${group}"`);
    try {
      const scale = await client.get(type as ResourceType<Scale>, { namespace, name: owner.name }, { subresource: 'scale' });
      return scale.metadata.uid === owner.uid ? [owner.uid, scale.spec.replicas ?? 0] : undefined;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      // Either the owner is gone or its kind has no scale: the two look the same from here.
      throw new Error(`${type.plural}.${group} does not implement the scale subresource`, { cause: error });
    }
  };

  const expectedOf = async (pods: readonly Pod[]): Promise<Expected> => {
    const wanted = new Map<string, number>();
    const unmanaged: Pod[] = [];
    const asked = new Set<string>();
    for (const pod of pods) {
      const owner = controllerOf(pod);
      if (owner === undefined) unmanaged.push(pod);
      if (owner === undefined || asked.has(owner.uid)) continue;
      asked.add(owner.uid);
      const scale = await scaleOf(pod, owner);
      if (scale === undefined) throw new Error(`found no controllers for pod "${pod.metadata.name}"`);
      wanted.set(...scale);
    }
    return { count: [...wanted.values()].reduce((sum, count) => sum + count, 0), unmanaged };
  };
  return { expectedOf, informers: [replicaSets, deploymentInformer] };
}

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '');
