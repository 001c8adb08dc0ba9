// Where the store keeps a resource: upstream's etcd keys, so that a store can be read with upstream's tools.

const corePrefixes: Readonly<Record<string, string>> = {
  nodes: 'minions',
  services: 'services/specs',
  endpoints: 'services/endpoints',
  replicationcontrollers: 'controllers',
};

const groupedPrefixes: Readonly<Record<string, string>> = {
  'apiextensions.k8s.io/customresourcedefinitions': 'apiextensions.k8s.io/customresourcedefinitions',
  'apiregistration.k8s.io/apiservices': 'apiregistration.k8s.io/apiservices',
  'networking.k8s.io/ingresses': 'ingress',
  'policy/poddisruptionbudgets': 'poddisruptionbudgets',
};

/** Upstream's own groups keep their resources at the top; those of custom resources stand in a folder of their group. */
export function storagePrefix(resource: { group: string; plural: string }): string {
  const { group, plural } = resource;
  const place = group === '' ? (corePrefixes[plural] ?? plural) : (groupedPrefixes[`${group}/${plural}`] ?? plural);
  return `/registry/${place}/`;
}
