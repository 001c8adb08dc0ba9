// Delete of a collection: every selected object is deleted by itself; the answer is the list as it stood.
import { isNotFound } from '#api/meta/errors.ts';
import type { CacheSelection } from '../cache/selection.ts';
import type { RequestContext } from '../request.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { deleteObject } from './delete.ts';
import type { DeleteOptionsBody } from './deletion.ts';
import { checkDeleteOptions } from './deletion.ts';
import type { ReadOptions } from './list-options.ts';
import type { Listing } from './list.ts';
import { listObjects } from './list.ts';

export interface DeleteCollectionRequest {
  context: RequestContext;
  selection: CacheSelection;
  read: ReadOptions;
  options: DeleteOptionsBody;
  dryRun: boolean;
}

const parallelDeletes = 16;

export async function deleteCollection(core: Core, resource: ServedResource, request: DeleteCollectionRequest): Promise<Listing> {
  checkDeleteOptions(request.options);
  const listing = await listObjects(core, resource, request.selection, request.read);
  const waiting = [...listing.entries].reverse();
  const work = async () => {
    for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
      const { name, namespace } = entry.object.metadata;
      try {
        const { context, options, dryRun } = request;
        await deleteObject(core, resource, { context, namespace: namespace ?? '', name: name!, options, dryRun });
      } catch (error) {
        // Someone else was faster: what was asked for is done.
        if (!isNotFound(error)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallelDeletes, waiting.length) }, work));
  return listing;
}
