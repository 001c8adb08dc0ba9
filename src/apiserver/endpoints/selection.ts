// Turns the selectors of a list or watch into what the caches understand: an indexed part and a predicate for the rest.
import { checkFieldLabels, parseFieldSelector } from '#api/meta/field-selector.ts';
import { parseLabelSelector } from '#api/meta/label-selector.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { CacheSelection } from '../cache/selection.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { fieldIndexes } from '../registry/field-indexes.ts';

export interface Selectors {
  /** Empty: all namespaces. */
  namespace: string;
  labelSelector: string;
  fieldSelector: string;
  /** From the path, e.g. a watch of one object. */
  name?: string;
}

export function selectionOf(resource: ServedResource, selectors: Selectors): CacheSelection {
  const labels = parseLabelSelector(selectors.labelSelector);
  const fields = parseFieldSelector(selectors.fieldSelector);
  checkFieldLabels(fields, resource.type.group, resource.type.kind);
  const name = selectors.name || fields.requiredValue('metadata.name');
  const namespace = selectors.namespace || (resource.type.namespaced ? fields.requiredValue('metadata.namespace') : undefined);
  const indexed = Object.keys(fieldIndexes(resource)).find((field) => fields.requiredValue(field) !== undefined);
  const selection: CacheSelection = {};
  if (namespace) selection.namespace = namespace;
  if (name) selection.name = name;
  if (indexed !== undefined) selection.index = { field: indexed, value: fields.requiredValue(indexed)! };
  // Equalities that the selection itself says need not be looked at again.
  const said = ['metadata.name', 'metadata.namespace', indexed];
  const rest = fields.requirements.some(({ field, operator }) => operator === '!=' || !said.includes(field));
  const repeated = new Set(fields.requirements.map(({ field }) => field)).size < fields.requirements.length;
  if (rest || repeated || (selectors.namespace && fields.requiredValue('metadata.namespace') !== undefined)) {
    selection.matches = (object) => labels.matches(object.metadata.labels) && fields.matches(fieldsOf(resource, object));
  } else if (!labels.empty) {
    selection.matches = (object) => labels.matches(object.metadata.labels);
  }
  return selection;
}

function fieldsOf(resource: ServedResource, object: KubeObject): Record<string, string> {
  const own = resource.rules.selectableFields?.(object);
  return { 'metadata.name': object.metadata.name ?? '', 'metadata.namespace': object.metadata.namespace ?? '', ...own };
}
