// The resources of one server, found by group, version and plural.
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { pathNotFound } from '#api/meta/errors.ts';
import type { ServedResource } from './served-resource.ts';

export interface ResourceSet {
  readonly all: readonly ServedResource[];
  find(group: string, version: string, plural: string): ServedResource | undefined;
  /** Throws 404 for what is not served. */
  of<T extends KubeObject>(type: Pick<ResourceType<T>, 'group' | 'version' | 'plural'>): ServedResource<T>;
}

export function createResourceSet(resources: readonly ServedResource[]): ResourceSet {
  const byAddress = new Map(resources.map((resource) => [addressOf(resource.type), resource]));
  const find = (group: string, version: string, plural: string) => byAddress.get(addressOf({ group, version, plural }));
  return {
    all: resources,
    find,
    of<T extends KubeObject>(type: Pick<ResourceType<T>, 'group' | 'version' | 'plural'>) {
      const found = byAddress.get(addressOf(type));
      if (found === undefined) throw pathNotFound();
      return found as unknown as ServedResource<T>;
    },
  };
}

const addressOf = (type: { group: string; version: string; plural: string }): string => `${type.group}/${type.version}/${type.plural}`;
