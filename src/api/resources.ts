// What is known of every resource before any rule of its own: names, verbs, order in discovery, registry flags. Read from the generated table.
import rows from './generated/resources.json' with { type: 'json' };

/** The flags of upstream's registry strategies. */
export interface Strategy {
  readonly allowCreateOnUpdate: boolean;
  readonly allowUnconditionalUpdate: boolean;
  /** A new object starts at generation 1. */
  readonly generationOnCreate: boolean;
  /** What a change must touch to raise the generation. */
  readonly generationBump: 'never' | 'spec' | 'notMetadataOrLabels';
  readonly defaultDeletePropagation: 'Background' | 'Orphan' | 'Unsupported';
  readonly gracefulDelete: boolean;
  /** By subresource, '' for the object itself: the paths that a write through it cannot change, and takes no ownership of. */
  readonly resetFields?: Readonly<Record<string, readonly string[]>>;
}

interface Subresource {
  readonly name: string;
  /** The kind of its body, which may be of another group: `Scale` of autoscaling/v1. */
  readonly kind: string;
  readonly bodyGroup: string;
  readonly bodyVersion: string;
  readonly verbs: readonly string[];
}

export interface ResourceInfo {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly stability: string;
  readonly served: 'builtin' | 'aggregated' | 'off';
  readonly storageVersionHash?: string;
  /** Groups and versions stand in discovery in falling order of these. */
  readonly groupPriority: number;
  readonly versionPriority: number;
  /** Kinds that are never stored (reviews, bindings) have none. */
  readonly strategy?: Strategy;
  readonly subresources: readonly Subresource[];
}

export const allResources = rows as readonly ResourceInfo[];

const byAddress: ReadonlyMap<string, ResourceInfo> = new Map(allResources.map((info) => [addressOf(info), info]));

export function resourceInfo(resource: { group: string; version: string; plural: string }): ResourceInfo | undefined {
  return byAddress.get(addressOf(resource));
}

function addressOf(resource: { group: string; version: string; plural: string }): string {
  return `${resource.group}/${resource.version}/${resource.plural}`;
}
