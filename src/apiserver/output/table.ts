// The Table form: what kubectl prints, one row an object, in the columns of the kind.
import type { KubeObject } from '#api/meta/object.ts';
import { badRequest } from '#api/meta/errors.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { objectIn } from '../registry/versions.ts';
import { partialMetadata } from './partial-metadata.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  include: IncludeObject;
  /** Milliseconds since the epoch, for ages. */
  now: number;
}

export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const asked = query.get('includeObject') ?? '';
  if (asked === '') return 'Metadata';
  if (asked !== 'None' && asked !== 'Metadata' && asked !== 'Object') {
    throw badRequest(`unrecognized includeObject value: ${JSON.stringify(asked)}`);
  }
  return asked;
}

/** `objects` are as they are kept: columns are the same in all versions. */
export function tableOf(resource: ServedResource, objects: readonly KubeObject[], metadata: object, options: TableOptions): object {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columnDefinitions(resource),
    rows: objects.map((object) => rowOf(resource, object, options)),
  };
}

/** Of a watch, after its first event: the client knows the columns. */
export function tableRowOnly(resource: ServedResource, object: KubeObject, options: TableOptions): object {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: object.metadata.resourceVersion },
    columnDefinitions: null,
    rows: [rowOf(resource, object, options)],
  };
}

function columnDefinitions(resource: ServedResource): object[] {
  return resource.columns.map(({ name, type, format, priority }) => ({ name, type, format, description: '', priority }));
}

function rowOf(resource: ServedResource, object: KubeObject, { include, now }: TableOptions): object {
  const { columns } = resource.rules;
  const cells =
    columns === undefined
      ? [object.metadata.name ?? '', object.metadata.creationTimestamp ?? '']
      : columns.map((column) => column(object, { now }));
  return {
    cells,
    ...(include === 'Metadata' && { object: partialMetadata(objectIn(resource, object)) }),
    ...(include === 'Object' && { object: objectIn(resource, object) }),
  };
}
