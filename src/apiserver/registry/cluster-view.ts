// The cluster as this server's own parts read it: authorizers, admission and token checks look here instead of asking over the API.
import type { Pod } from '#api/generated/core-v1.ts';
import { pods } from '#api/generated/resources.ts';
import type { KubeObject, ObjectRef, ResourceType } from '#api/meta/object.ts';
import type { Store } from '#store/store.ts';
import type { World } from '../cache/world.ts';
import type { ResourceSet } from './resource-set.ts';

export interface ClusterView {
  /** As cached; undefined if absent, or of a kind that is not served. Frozen. */
  cached<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): T | undefined;
  cachedList<T extends KubeObject>(type: ResourceType<T>, namespace?: string): T[];
  /** As committed: for refusing on the ground of absence. */
  latest<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<T | undefined>;
  /** Another number after every change of any of the resources. */
  versionOf(...types: ResourceType[]): number;
  podsOnNode(nodeName: string): Pod[];
}

export function createClusterView(store: Store, world: World, resources: ResourceSet): ClusterView {
  const find = (type: ResourceType) => resources.find(type.group, type.version, type.plural);

  const cached = <T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): T | undefined => {
    const resource = find(type as ResourceType);
    return resource && (world.cache(resource.prefix).get(resource.keyOf(ref.namespace, ref.name))?.object as T | undefined);
  };

  return {
    cached,
    cachedList<T extends KubeObject>(type: ResourceType<T>, namespace?: string) {
      const resource = find(type as ResourceType);
      if (resource === undefined) return [];
      const selection = namespace === undefined ? {} : { namespace };
      return world
        .cache(resource.prefix)
        .list(selection)
        .map((entry) => entry.object as T);
    },
    async latest<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef) {
      const known = cached(type, ref);
      if (known !== undefined) return known;
      const revision = await store.currentRevision();
      if (revision > world.revision) await world.waitFor(revision);
      return cached(type, ref);
    },
    versionOf: (...types) =>
      types.reduce((sum, type) => {
        const resource = find(type);
        return sum + (resource ? world.cache(resource.prefix).lastRevision : 0);
      }, 0),
    podsOnNode(nodeName) {
      const resource = find(pods as ResourceType);
      if (resource === undefined) return [];
      const selection = { index: { field: 'spec.nodeName', value: nodeName } };
      return world
        .cache(resource.prefix)
        .list(selection)
        .map((entry) => entry.object as Pod);
    },
  };
}
