// Get: the latest state of one object, or a cached one that is as new as asked.
import { notFound } from '#api/meta/errors.ts';
import type { Entry } from '../cache/entry.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { parseResourceVersion } from './list-options.ts';

export interface GetRequest {
  namespace: string;
  name: string;
  /** Empty: the latest; '0': whatever is cached; else at least that. */
  resourceVersion: string;
}

export async function getObject(core: Core, resource: ServedResource, request: GetRequest): Promise<Entry> {
  if (request.resourceVersion === '') await core.world.waitForLatest();
  else {
    const asked = parseResourceVersion(request.resourceVersion);
    if (asked > core.world.revision) await core.world.waitFor(asked);
  }
  const entry = core.world.cache(resource.prefix).get(resource.keyOf(request.namespace, request.name));
  if (entry === undefined) throw notFound(resource.type, request.name);
  return entry;
}
