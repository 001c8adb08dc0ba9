// List: a snapshot at one revision, from the cache where it reaches, from the store's history where it does not; page by page if asked.
import { ApiError, badRequest, expired, failure, tooLargeResourceVersion } from '#api/meta/errors.ts';
import type { Entry } from '../cache/entry.ts';
import { createEntry } from '../cache/entry.ts';
import { positionIn } from '../cache/sorted-run.ts';
import type { CacheSelection } from '../cache/selection.ts';
import { isSelected } from '../cache/watchers.ts';
import { CompactedError, FutureRevisionError } from '#store/store.ts';
import type { Core } from '../registry/core.ts';
import { fieldIndexes } from '../registry/field-indexes.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { Continuation } from './continue-token.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import type { ReadOptions } from './list-options.ts';
import { checkListOptions, parseResourceVersion } from './list-options.ts';

export interface Listing {
  entries: Entry[];
  revision: number;
  /** Set where more follow. */
  continue?: string;
  remainingItemCount?: number;
}

export async function listObjects(core: Core, resource: ServedResource, selection: CacheSelection, options: ReadOptions): Promise<Listing> {
  checkListOptions(options);
  if (options.limit < 0) throw badRequest(`limit must not be negative: ${options.limit}`);
  if (options.continue !== '') return await listOn(core, resource, selection, options);
  const asked = parseResourceVersion(options.resourceVersion);
  const cache = core.world.cache(resource.prefix);
  if (options.resourceVersionMatch === 'Exact') {
    if (asked > core.world.revision) await core.world.waitFor(asked);
    return pageOf(resource, selection, await entriesAt(core, resource, selection, asked, undefined), asked, options.limit);
  }
  if (options.resourceVersion === '') await core.world.waitForLatest();
  else if (asked > core.world.revision) await core.world.waitFor(asked);
  // Upstream answers whole lists to those who take whatever is cached.
  const limit = options.resourceVersion === '0' ? 0 : options.limit;
  return pageOf(resource, selection, cache.list(selection), core.world.revision, limit);
}

async function listOn(core: Core, resource: ServedResource, selection: CacheSelection, options: ReadOptions): Promise<Listing> {
  if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const continuation = decodeContinue(options.continue);
  if (continuation.revision === 0) await core.world.waitForLatest();
  const revision = continuation.revision || core.world.revision;
  if (revision > core.world.revision) await core.world.waitFor(revision);
  const entries = await entriesAt(core, resource, selection, revision, continuation);
  const from = positionIn(entries, `${listPrefix(resource, selection)}${continuation.after}`);
  const isAt = entries[from]?.key === `${listPrefix(resource, selection)}${continuation.after}`;
  return pageOf(resource, selection, entries.slice(isAt ? from + 1 : from), revision, options.limit);
}

/** Selected entries at a revision that is gone from the caches' windows come from the store. */
async function entriesAt(
  core: Core,
  resource: ServedResource,
  selection: CacheSelection,
  revision: number,
  continuation: Continuation | undefined,
): Promise<Entry[]> {
  const cached = core.world.cache(resource.prefix).listAt(selection, revision);
  if (cached !== undefined) return cached;
  try {
    const prefix = listPrefix(resource, selection);
    const after = continuation && `${prefix}${continuation.after}`;
    const { values } = await core.store.list(prefix, { revision, ...(after !== undefined && { after }) });
    return values
      .map((item) => createEntry(item.key, item.value, item.revision))
      .filter((entry) => isSelected(selection, entry, fieldIndexes(resource)));
  } catch (error) {
    if (error instanceof FutureRevisionError) throw tooLargeResourceVersion(revision, core.world.revision);
    if (error instanceof CompactedError) throw expiredList(continuation);
    throw error;
  }
}

function pageOf(resource: ServedResource, selection: CacheSelection, entries: Entry[], revision: number, limit: number): Listing {
  if (limit === 0 || entries.length <= limit) return { entries, revision };
  const page = entries.slice(0, limit);
  const after = page[limit - 1]!.key.slice(listPrefix(resource, selection).length);
  const isWhole = selection.matches === undefined && selection.index === undefined && selection.name === undefined;
  return {
    entries: page,
    revision,
    continue: encodeContinue({ revision, after }),
    // Only a list without selectors knows what is left without looking.
    ...(isWhole && { remainingItemCount: entries.length - limit }),
  };
}

function listPrefix(resource: ServedResource, selection: CacheSelection): string {
  return selection.namespace !== undefined && resource.type.namespaced ? `${resource.prefix}${selection.namespace}/` : resource.prefix;
}

function expiredList(continuation: Continuation | undefined): ApiError {
  if (continuation === undefined) return expired('The resourceVersion for the provided list is too old.');
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';
  const error = failure(410, 'Expired', message);
  return new ApiError({ ...error.status, metadata: { continue: encodeContinue({ revision: 0, after: continuation.after }) } });
}
