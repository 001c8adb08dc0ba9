// The cluster as this server's own parts read it: authorizers, admission and token checks look here instead of asking over the API.
import type { Pod } from '#api/generated/core-v1.ts';
import { pods } from '#api/generated/resources.ts';
import type { KubeObject, ObjectRef, ResourceType } from '#api/meta/object.ts';
import type { Clock } from '#lib/clock.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import type { World } from '../cache/world.ts';
import type { ResourceSet } from './resource-set.ts';

export interface ClusterView {
  /** As cached; undefined if absent, or of a kind that is not served. Frozen. */
  cached<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): T | undefined;
  cachedList<T extends KubeObject>(type: ResourceType<T>, namespace?: string): T[];
  /** As committed: for refusing on the ground of absence. */
  latest<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<T | undefined>;
  /** As `latest`, or what appears within `waitMs`. */
  appears<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, waitMs: number): Promise<T | undefined>;
  /** Another number after every change of any of the resources. */
  versionOf(...types: ResourceType[]): number;
  podsOnNode(nodeName: string): Pod[];
}

export function createClusterView(clock: Clock, world: World, resources: ResourceSet): ClusterView {
  const find = (type: ResourceType) => resources.find(type.group, type.version, type.plural);

  const cached = <T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): T | undefined => {
    const resource = find(type as ResourceType);
    return resource && (world.cache(resource.prefix).get(resource.keyOf(ref.namespace, ref.name))?.object as T | undefined);
  };

  const latest = async <T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<T | undefined> => {
    const known = cached(type, ref);
    if (known !== undefined) return known;
    await world.waitForLatest();
    return cached(type, ref);
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
    latest,
    async appears<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, waitMs: number) {
      const found = await latest(type, ref);
      const resource = find(type as ResourceType);
      if (found !== undefined || resource === undefined) return found;
      return await firstOf<T>(world.cache(resource.prefix), ref, world.revision, clock, waitMs);
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

/** The object's first appearance after `revision`; undefined when the time is up. */
function firstOf<T extends KubeObject>(
  cache: ResourceCache,
  ref: ObjectRef,
  revision: number,
  clock: Clock,
  waitMs: number,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const settle = (object: T | undefined) => {
      timer.cancel();
      watch.close();
      resolve(object);
    };
    const watch = cache.watch(ref, revision, {
      events: ([first]) => settle(first?.entry.object as T | undefined),
      ended: () => settle(undefined),
    });
    const timer = clock.after(waitMs, () => settle(undefined));
  });
}
