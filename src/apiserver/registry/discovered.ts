// What discovery and OpenAPI may tell of: the resources that are served, each with the subresources that are answered.
import { resourceInfo } from '#api/resources.ts';
import type { DiscoveredResource } from '../discovery/discovered-resource.ts';
import { discoveredFrom } from '../discovery/discovered-resource.ts';
import { isImplemented } from '../endpoints/subresource.ts';
import type { ResourceSet } from './resource-set.ts';

export function discoveredResources(
  resources: ResourceSet,
  virtual: readonly { resource: { group: string; version: string; plural: string } }[],
  connect: Readonly<Record<string, unknown>>,
): DiscoveredResource[] {
  const stored = resources.all.map(({ info }) => info);
  const answered = virtual.map(({ resource }) => resourceInfo(resource)).filter((info) => info !== undefined);
  return [...stored, ...answered].map((info) => {
    const subresources = info.subresources.filter(({ name }) => isImplemented(name) || `${info.plural}/${name}` in connect);
    return discoveredFrom({ ...info, subresources });
  });
}
