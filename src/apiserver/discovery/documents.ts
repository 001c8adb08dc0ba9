// The discovery documents, in the aggregated form and in the older one, made of the resources that are served.
import type { DiscoveredGroup, DiscoveredResource } from './discovered-resource.ts';

/** `/api` */
export function apiVersions(groups: readonly DiscoveredGroup[], serverAddress: string): object {
  const core = groups.find((group) => group.name === '');
  return {
    kind: 'APIVersions',
    versions: (core?.versions ?? []).map(({ version }) => version),
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** `/apis` */
export function apiGroupList(groups: readonly DiscoveredGroup[]): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter((group) => group.name !== '').map(groupEntry) };
}

/** `/apis/apps` */
export function apiGroup(group: DiscoveredGroup): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) };
}

function groupEntry(group: DiscoveredGroup): object {
  const versions = group.versions.map(({ version, groupVersion }) => ({ groupVersion, version }));
  return { name: group.name, versions, preferredVersion: versions[0] };
}

/** `/api/v1`, `/apis/apps/v1` */
export function apiResourceList(groupVersion: string, resources: readonly DiscoveredResource[]): object {
  return {
    kind: 'APIResourceList',
    ...(groupVersion.includes('/') && { apiVersion: 'v1' }),
    groupVersion,
    resources: resources.flatMap(resourceEntries),
  };
}

function resourceEntries(resource: DiscoveredResource): object[] {
  const { type, singular, verbs, shortNames, categories, storageVersionHash } = resource;
  const own = {
    name: type.plural,
    singularName: singular,
    namespaced: type.namespaced,
    kind: type.kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(storageVersionHash !== undefined && { storageVersionHash }),
  };
  const children = resource.subresources.map((child) => ({
    name: `${type.plural}/${child.name}`,
    singularName: '',
    namespaced: type.namespaced,
    ...((child.bodyGroup !== type.group || child.bodyVersion !== type.version) && { group: child.bodyGroup, version: child.bodyVersion }),
    kind: child.kind,
    verbs: child.verbs,
  }));
  return [own, ...children];
}

/** `/api` or `/apis`, all in one document. */
export function aggregatedDiscovery(groups: readonly DiscoveredGroup[]): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => ({
      metadata: group.name === '' ? {} : { name: group.name },
      versions: group.versions.map(({ version, resources }) => ({
        version,
        resources: resources.map(aggregatedEntry),
        freshness: 'Current',
      })),
    })),
  };
}

function aggregatedEntry(resource: DiscoveredResource): object {
  const { type, singular, verbs, shortNames, categories } = resource;
  const subresources = resource.subresources.map((child) => ({
    subresource: child.name,
    responseKind: { group: child.bodyGroup, version: child.bodyVersion, kind: child.kind },
    verbs: child.verbs,
  }));
  return {
    resource: type.plural,
    responseKind: { group: type.group, version: type.version, kind: type.kind },
    scope: type.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(subresources.length > 0 && { subresources }),
  };
}
