// What a server tells that it serves: stored resources with the subresources that are answered, and those that are only computed.
import { resourceInfo } from '#api/resources.ts';
import { isImplemented } from '../endpoints/subresource.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { ConnectHandler, VirtualResource } from '../server.ts';
import type { DiscoveredResource } from './discovered-resource.ts';
import { discoveredFrom } from './discovered-resource.ts';

export function advertisedResources(
  stored: readonly ServedResource[],
  computed: readonly VirtualResource[],
  connect: Readonly<Record<string, ConnectHandler>>,
): DiscoveredResource[] {
  const rows = [...stored.map(({ type }) => type), ...computed.map(({ resource }) => resource)].map((type) => resourceInfo(type)!);
  return rows.map((info) => {
    const answered = info.subresources.filter(({ name }) => isImplemented(name) || connect[`${info.plural}/${name}`] !== undefined);
    return { ...discoveredFrom(info), subresources: answered };
  });
}
