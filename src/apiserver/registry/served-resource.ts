// A resource as this server serves it: its row of the generated table, its own rules, and where the store keeps it.
import { fieldLabels } from '#api/field-labels.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import type { Shape } from '#api/meta/managed-fields/shape.ts';
import { ownedShapeOf } from '#api/meta/managed-fields/shape.ts';
import type { ColumnDefinition } from '#api/printer-columns.ts';
import { printerColumns } from '#api/printer-columns.ts';
import type { ResourceInfo, Strategy } from '#api/resources.ts';
import { resourceInfo } from '#api/resources.ts';
import type { Message } from '#api/schema.ts';
import { messageForKind } from '#api/schema.ts';
import type { ResourceRules } from '../resources/resource.ts';
import type { Conversion } from './versions.ts';
import { createConversion } from './versions.ts';
import { storagePrefix } from './storage-keys.ts';

export interface ServedResource<T extends KubeObject = KubeObject> {
  readonly type: ResourceType<T>;
  readonly apiVersion: string;
  readonly info: ResourceInfo;
  readonly strategy: Strategy;
  readonly rules: ResourceRules<T>;
  /** What every key of the resource starts with. */
  readonly prefix: string;
  readonly columns: readonly ColumnDefinition[];
  /** Labels that field selectors may name. */
  readonly fieldLabels: ReadonlySet<string>;
  /** Whether a delete answers the object rather than a Status. */
  readonly returnsDeleted: boolean;
  keyOf(namespace: string | undefined, name: string): string;
  /** What of an object gets owners by a write of that subresource, '' for the object itself. */
  ownedShape(subresource: string): Shape;
  /** The version in which objects are kept: this very resource, or the one that this is another version of. */
  readonly storage: ServedResource;
  /** Undefined for the storage version. */
  readonly conversion: Conversion | undefined;
}

const genericStrategy: Strategy = {
  allowCreateOnUpdate: false,
  allowUnconditionalUpdate: true,
  generationOnCreate: false,
  generationBump: 'never',
  defaultDeletePropagation: 'Background',
  gracefulDelete: false,
};

const genericColumns: readonly ColumnDefinition[] = [
  { name: 'Name', type: 'string', format: 'name', priority: 0 },
  { name: 'Created At', type: 'date', format: '', priority: 0 },
];

/** Kinds whose delete answers the object; the others answer a Status. */
const returningDeleted = new Set([
  '/pods',
  '/services',
  '/serviceaccounts',
  '/persistentvolumeclaims',
  '/persistentvolumes',
  '/podtemplates',
  '/resourcequotas',
  'storage.k8s.io/storageclasses',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/csidrivers',
  'storage.k8s.io/volumeattachments',
]);

/** A kind in all its versions; the one that is kept comes first. */
export function serveVersions(rules: ResourceRules): ServedResource[] {
  const storage = serveResource(rules.resource, rules);
  const others = (rules.otherVersions ?? []).map((version) => {
    const shownRules = { ...rules, ...(version.selectableFields && { selectableFields: version.selectableFields }) };
    return serveResource(version.resource, shownRules, { storage, conversion: createConversion(version) });
  });
  return [storage, ...others];
}

function serveResource(
  type: ResourceType,
  rules: ResourceRules,
  kept?: { storage: ServedResource; conversion: Conversion },
): ServedResource {
  const info = resourceInfo(type);
  if (info === undefined) throw new Error(`the generated table has no ${type.plural} of ${apiVersionOf(type)}`);
  const prefix = kept?.storage.prefix ?? storagePrefix(type);
  const strategy = info.strategy ?? genericStrategy;
  const ownedShape = ownedShapes(messageForKind(apiVersionOf(type), type.kind), strategy);
  const served = {
    type,
    apiVersion: apiVersionOf(type),
    info,
    strategy,
    rules,
    prefix,
    columns: printerColumns(type.group, type.kind) ?? genericColumns,
    fieldLabels: new Set(fieldLabels(type.group, type.kind)),
    returnsDeleted: returningDeleted.has(`${type.group}/${type.plural}`),
    keyOf: (namespace: string | undefined, name: string) => (type.namespaced ? `${prefix}${namespace}/${name}` : `${prefix}${name}`),
    ownedShape,
    conversion: kept?.conversion,
    storage: kept?.storage,
  };
  // A kind that is kept as it is shown is its own storage version.
  served.storage ??= served as ServedResource;
  return served as ServedResource;
}

function ownedShapes(message: Message | undefined, { resetFields }: Strategy): (subresource: string) => Shape {
  const shapes = new Map<string, Shape>();
  return (subresource) => {
    let shape = shapes.get(subresource);
    if (shape === undefined) shapes.set(subresource, (shape = ownedShapeOf(message, resetFields?.[subresource] ?? [])));
    return shape;
  };
}
