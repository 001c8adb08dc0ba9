// The fields by which caches index a resource: those that thousands of clients select by, one value each.
import type { Pod } from '#api/generated/core-v1.ts';
import type { FieldIndex } from '../cache/selection.ts';

const byResource: Readonly<Record<string, Readonly<Record<string, FieldIndex>>>> = {
  // Every kubelet watches the pods of its own node.
  '/pods': { 'spec.nodeName': (object) => (object as unknown as Pod).spec?.nodeName ?? '' },
};

const none: Readonly<Record<string, FieldIndex>> = {};

export function fieldIndexes(resource: { type: { group: string; plural: string } }): Readonly<Record<string, FieldIndex>> {
  return byResource[`${resource.type.group}/${resource.type.plural}`] ?? none;
}
