// Who a write is by, and what it comes to own: noted in metadata.managedFields, with the object as its client wants it, before admission adds to it.
import { entriesAfterUpdate } from '#api/meta/managed-fields/update.ts';
import type { Entry } from '#api/meta/managed-fields/entries.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { toTime } from '#lib/clock.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { RequestContext } from '../request.ts';

const maxManagerLength = 128;

/** What the client calls itself: the option of that name, or else the first part of its User-Agent. */
export function fieldManagerOf({ query, userAgent }: RequestContext): string {
  const given = query.get('fieldManager');
  if (given) return given;
  const product = userAgent.split('/', 1)[0]!;
  if (/^[\x20-\x7e]{0,128}$/.test(product)) return product;
  return product.replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '').slice(0, maxManagerLength);
}

interface Written {
  context: RequestContext;
  subresource: string;
  /** As the client wants it; gets its managed fields. */
  object: KubeObject;
  old: KubeObject | undefined;
}

export function noteManager(core: Core, resource: ServedResource, { context, subresource, object, old }: Written): void {
  const entries = entriesAfterUpdate({
    shape: resource.ownedShape(subresource),
    old,
    next: object,
    manager: fieldManagerOf(context),
    apiVersion: resource.apiVersion,
    subresource,
    time: toTime(core.clock.now()),
  });
  setEntries(object, entries);
}

/** What an object has stays the very list that is stored where nothing changed. */
export function setEntries({ metadata }: KubeObject, entries: readonly Entry[] | undefined): void {
  if (entries === undefined || entries.length === 0) delete metadata.managedFields;
  else metadata.managedFields = entries as Entry[];
}
