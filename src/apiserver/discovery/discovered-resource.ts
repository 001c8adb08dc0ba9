// What discovery and OpenAPI need to know of a resource; `registry/served-resource.ts` has it all, and a table row can be turned into it.
import type { ResourceInfo } from '#api/resources.ts';

export interface DiscoveredSubresource {
  name: string;
  kind: string;
  /** Of the body, which may be of another group: `Scale` of autoscaling/v1. */
  bodyGroup: string;
  bodyVersion: string;
  verbs: readonly string[];
}

export interface DiscoveredResource {
  readonly type: {
    readonly group: string;
    readonly version: string;
    readonly plural: string;
    readonly kind: string;
    readonly namespaced: boolean;
  };
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly storageVersionHash: string | undefined;
  readonly groupPriority: number;
  readonly versionPriority: number;
  /** Only those that are answered. */
  readonly subresources: readonly DiscoveredSubresource[];
}

/** For resources that live outside the registry: reviews, metrics. */
export function discoveredFrom(info: ResourceInfo): DiscoveredResource {
  const { group, version, plural, kind, namespaced } = info;
  return { ...info, type: { group, version, plural, kind, namespaced }, storageVersionHash: info.storageVersionHash };
}

export interface DiscoveredGroup {
  name: string;
  /** The preferred one first. */
  versions: { version: string; groupVersion: string; resources: DiscoveredResource[] }[];
}

/** Groups and versions in upstream's order, resources by name. The core group is among them, with an empty name. */
export function groupResources(resources: readonly DiscoveredResource[]): DiscoveredGroup[] {
  const groups = new Map<string, Map<string, DiscoveredResource[]>>();
  for (const resource of resources) {
    const versions = groups.get(resource.type.group) ?? new Map<string, DiscoveredResource[]>();
    groups.set(resource.type.group, versions);
    versions.set(resource.type.version, [...(versions.get(resource.type.version) ?? []), resource]);
  }
  const priority = (list: DiscoveredResource[], field: 'groupPriority' | 'versionPriority') => Math.max(...list.map((each) => each[field]));
  return [...groups]
    .sort(([a, left], [b, right]) => {
      const byPriority = priority([...right.values()].flat(), 'groupPriority') - priority([...left.values()].flat(), 'groupPriority');
      return byPriority !== 0 ? byPriority : a < b ? -1 : 1;
    })
    .map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([, left], [, right]) => priority(right, 'versionPriority') - priority(left, 'versionPriority'))
        .map(([version, list]) => ({
          version,
          groupVersion: name === '' ? version : `${name}/${version}`,
          resources: list.sort((a, b) => (a.type.plural < b.type.plural ? -1 : 1)),
        })),
    }));
}
