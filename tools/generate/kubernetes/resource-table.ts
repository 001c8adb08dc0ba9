// Every resource with its subresources, the order of its group and the flags of its registry strategy.
import type { Row } from '../tsv.ts';
import { list } from '../tsv.ts';

export interface ResourceEntry {
  group: string;
  version: string;
  plural: string;
  kind: string;
  singular: string;
  shortNames: string[];
  categories: string[];
  namespaced: boolean;
  verbs: string[];
  stability: string;
  /** `builtin`: served by the API server; `aggregated`: by an extension; `off`: behind a flag. */
  served: 'builtin' | 'aggregated' | 'off';
  storageVersionHash?: string;
  groupPriority: number;
  versionPriority: number;
  strategy?: Strategy;
  subresources: { name: string; kind: string; bodyGroup: string; bodyVersion: string; verbs: string[] }[];
}

export interface Strategy {
  allowCreateOnUpdate: boolean;
  allowUnconditionalUpdate: boolean;
  generationOnCreate: boolean;
  generationBump: 'never' | 'spec' | 'notMetadataOrLabels';
  defaultDeletePropagation: 'Background' | 'Orphan' | 'Unsupported';
  gracefulDelete: boolean;
  /** By subresource, '' for the object itself: the paths that a write through it cannot change. */
  resetFields?: Record<string, string[]>;
}

/** Registry package → API group, where they differ by more than a suffix. */
const registryGroups: Record<string, string> = { core: '', apiserverinternal: 'internal.apiserver.k8s.io' };
/** Registry package's resource → singular, where they differ. */
const registrySingulars: Record<string, string> = {
  certificates: 'certificatesigningrequest',
  endpoint: 'endpoints',
  storagemigration: 'storageversionmigration',
};

export function resourceTable(resources: Row[], groups: Row[], strategies: Row[]): ResourceEntry[] {
  return resources
    .filter((row) => row['subresource'] === '')
    .map((row) => {
      const { group, version, resource, kind } = row as Record<'group' | 'version' | 'resource' | 'kind', string>;
      const strategy = strategies.find((candidate) => isStrategyOf(candidate, row));
      return {
        group,
        version,
        plural: resource,
        kind,
        singular: row['singular']!,
        shortNames: list(row['shortNames']!),
        categories: list(row['categories']!),
        namespaced: row['namespaced'] === 'true',
        verbs: list(row['verbs']!),
        stability: row['stability']!,
        served: row['defaultOn'] === 'on' ? 'builtin' : row['defaultOn']!.startsWith('aggregated') ? 'aggregated' : 'off',
        ...(row['storageVersionHash'] && { storageVersionHash: row['storageVersionHash'] }),
        ...priorityOf(group, version, groups),
        ...(strategy && { strategy: strategyOf(strategy, group === '' ? version : `${group}/${version}`) }),
        subresources: resources
          .filter((r) => r['group'] === group && r['version'] === version && r['resource'] === resource && r['subresource'] !== '')
          .map((r) => ({ name: r['subresource']!, kind: r['kind']!, ...bodyOf(r['kindGroupVersion']!), verbs: list(r['verbs']!) })),
      };
    });
}

function bodyOf(groupVersion: string): { bodyGroup: string; bodyVersion: string } {
  const slash = groupVersion.indexOf('/');
  return slash < 0
    ? { bodyGroup: '', bodyVersion: groupVersion }
    : { bodyGroup: groupVersion.slice(0, slash), bodyVersion: groupVersion.slice(slash + 1) };
}

function priorityOf(group: string, version: string, groups: Row[]): { groupPriority: number; versionPriority: number } {
  const row = groups.find((candidate) => candidate['group'] === group && candidate['version'] === version);
  // The aggregator's own group stands before all others; metrics-server registers itself with 100/100.
  if (row === undefined) return { groupPriority: 100, versionPriority: 100 };
  if (row['groupPriorityMinimum'] === '(first)') return { groupPriority: 20000, versionPriority: 18 };
  return { groupPriority: Number(row['groupPriorityMinimum']), versionPriority: Number(row['versionPriority']) };
}

function isStrategyOf(strategy: Row, resource: Row): boolean {
  // events.k8s.io serves the core events under another shape.
  const group = resource['group'] === 'events.k8s.io' ? '' : resource['group']!;
  const registry = strategy['registryGroup']!;
  const expected = registryGroups[registry];
  const sameGroup = expected === undefined ? group === registry || group.startsWith(`${registry}.`) : group === expected;
  const singular = registrySingulars[strategy['resource']!] ?? strategy['resource'];
  return sameGroup && singular === resource['singular'];
}

function strategyOf(row: Row, apiVersion: string): Strategy {
  const propagation = row['defaultDeletePropagation']!;
  const resetFields = resetFieldsOf(row['resetFields']!, apiVersion);
  return {
    allowCreateOnUpdate: row['allowCreateOnUpdate'] === 'true',
    allowUnconditionalUpdate: row['allowUnconditionalUpdate'] === 'true',
    generationOnCreate: row['generationOnCreate'] === '1',
    generationBump: row['generationBump'] === 'spec-change' ? 'spec' : row['generationBump'] === '' ? 'never' : 'notMetadataOrLabels',
    defaultDeletePropagation: propagation.startsWith('Orphan') ? 'Orphan' : propagation === 'Unsupported' ? 'Unsupported' : 'Background',
    gracefulDelete: row['gracefulDelete'] === 'yes',
    ...(Object.keys(resetFields).length > 0 && { resetFields }),
  };
}

/** `podStrategy[v1]:status podStatusStrategy[v1]:spec+metadata.labels` */
function resetFieldsOf(text: string, apiVersion: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [, strategy = '', version, paths = ''] of text.matchAll(/(\w+)\[([^\]]+)\]:(\S+)/g)) {
    const subresource = /(Status|Approval|Finalize)Strategy$/.exec(strategy)?.[1]?.toLowerCase() ?? '';
    if (version === apiVersion) found[subresource] = paths.split('+');
  }
  return found;
}
