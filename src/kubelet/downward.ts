// What a container may learn of its own pod: fields and resources, for env variables and downwardAPI files.
import type { Container, Pod, ResourceFieldSelector } from '#api/generated/core-v1.ts';
import { approximateValueOf } from '#api/meta/quantity.ts';

export interface DownwardAddresses {
  podIps: readonly string[];
  hostIps: readonly string[];
}

/** Undefined for a field that pods do not offer. */
export function fieldValue(pod: Pod, path: string, addresses: DownwardAddresses): string | undefined {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript !== null) return metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2]!] ?? '';
  switch (path) {
    case 'metadata.name':
      return metadata.name ?? '';
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return mapText(metadata.labels);
    case 'metadata.annotations':
      return mapText(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
      return addresses.hostIps[0] ?? '';
    case 'status.hostIPs':
      return addresses.hostIps.join(',');
    case 'status.podIP':
      return addresses.podIps[0] ?? '';
    case 'status.podIPs':
      return addresses.podIps.join(',');
    default:
      return undefined;
  }
}

/** Lines of `key="value"`, sorted by key, values quoted as Go does. */
function mapText(map: Record<string, string> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** The resource in units of the divisor, rounded up. A container without a limit may use what the node has. */
export function resourceValue(
  pod: Pod,
  container: Container,
  selector: ResourceFieldSelector,
  allocatable: Record<string, string>,
): string | undefined {
  const wanted = selector.containerName
    ? [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === selector.containerName)
    : container;
  const [kind, resource] = splitOnce(selector.resource);
  if (wanted === undefined || resource === '') return undefined;
  const { limits, requests } = wanted.resources ?? {};
  const quantity = kind === 'limits' ? (limits?.[resource] ?? allocatable[resource]) : (requests?.[resource] ?? limits?.[resource]);
  const divisor = approximateValueOf(selector.divisor) || 1;
  return String(Math.ceil(Number((approximateValueOf(quantity) / divisor).toFixed(9))));
}

function splitOnce(text: string): [string, string] {
  const dot = text.indexOf('.');
  return dot < 0 ? [text, ''] : [text.slice(0, dot), text.slice(dot + 1)];
}
