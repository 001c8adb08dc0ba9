// The one place that writes: encodes an object once, commits it at the revision it was derived from, and tries again when someone was faster.
import type { KubeObject } from '#api/meta/object.ts';
import { modifiedConflict, serviceUnavailable } from '#api/meta/errors.ts';
import type { CommitResult, Compare, Write } from '#store/store.ts';
import { StoreUnavailableError } from '#store/store.ts';
import type { Entry } from '../cache/entry.ts';
import { createEntry, draftEntry, encode, orderForStore } from '../cache/entry.ts';
import type { Core } from './core.ts';
import { isSameButTimes } from '#api/meta/managed-fields/entries.ts';
import { sameMembers } from '#api/meta/same-value.ts';
import type { ServedResource } from './served-resource.ts';

export type Change =
  | { put: KubeObject }
  /** Removes the current entry. */
  | { remove: true }
  /** Nothing to write: the current entry is the answer. */
  | { keep: true };

export interface Outcome {
  entry: Entry;
  /** The object is gone; `entry` is what it was. */
  removed: boolean;
  created: boolean;
}

export interface Target {
  resource: ServedResource;
  key: string;
  name: string;
  dryRun: boolean;
}

/** Attempts before giving up on an object that others keep changing. */
const maxAttempts = 64;

/**
 * Changes what stands at a key. `change` decides from the current entry (undefined: absent) and is asked again with a fresher one
 * when the key changed meanwhile, or when it refused on the ground of a cached entry that was not the latest.
 */
export async function modify(
  core: Core,
  target: Target,
  change: (current: Entry | undefined) => Change | Promise<Change>,
): Promise<Outcome> {
  let current = core.world.cache(target.resource.prefix).get(target.key);
  let fresh = false;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    let decided: Change;
    try {
      decided = await change(current);
    } catch (error) {
      if (fresh) throw error;
      const latest = await readLatest(core, target.key);
      if (latest?.revision === current?.revision) throw error;
      current = latest;
      fresh = true;
      continue;
    }
    const outcome = await attemptChange(core, target, current, decided);
    if ('entry' in outcome) return outcome;
    current = outcome.latest;
    fresh = true;
  }
  throw modifiedConflict(target.resource.type, target.name);
}

async function attemptChange(
  core: Core,
  target: Target,
  current: Entry | undefined,
  change: Change,
): Promise<Outcome | { latest: Entry | undefined }> {
  if ('keep' in change) return { entry: current!, removed: false, created: false };
  const compare: Compare[] = [{ key: target.key, revision: current?.revision ?? 0 }];
  if ('remove' in change) {
    if (target.dryRun) return { entry: current!, removed: true, created: false };
    const result = await commit(core, compare, [{ key: target.key, delete: true }]);
    if (!result.committed) return { latest: latestOf(core, target.key, result) };
    await core.world.waitFor(result.revision);
    return { entry: current!, removed: true, created: false };
  }
  const object = orderForStore(change.put, { kind: target.resource.type.kind, apiVersion: target.resource.apiVersion });
  // An update that changes nothing keeps its revision: controllers would else wake each other for ever.
  if (current !== undefined && isUnchanged(object, current.object)) return { entry: current, removed: false, created: false };
  if (target.dryRun)
    return { entry: draftEntry(target.key, object, current?.revision ?? 0), removed: false, created: current === undefined };
  const value = encode(object);
  core.world.remember(value, object);
  const result = await commit(core, compare, [{ key: target.key, value }]);
  if (!result.committed) return { latest: latestOf(core, target.key, result) };
  await core.world.waitFor(result.revision);
  const entry = core.world.entryOf(value) ?? createEntry(target.key, value, result.revision);
  return { entry, removed: false, created: current === undefined };
}

/** Commits, and turns the engine's refusal to write into the answer that clients understand. */
export async function commit(core: Pick<Core, 'store'>, compare: Compare[], writes: Write[]): Promise<CommitResult> {
  try {
    return await core.store.commit({ compare, writes });
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw serviceUnavailable(error.message, { cause: error });
    throw error;
  }
}

function latestOf(core: Core, key: string, result: CommitResult & { committed: false }): Entry | undefined {
  const found = result.current.find((item) => item.key === key);
  return found && (core.world.entryOf(found.value) ?? createEntry(key, found.value, found.revision));
}

async function readLatest(core: Core, key: string): Promise<Entry | undefined> {
  const found = await core.store.get(key);
  return found && (core.world.entryOf(found.value) ?? createEntry(key, found.value, found.revision));
}

function isUnchanged(object: KubeObject, stored: KubeObject): boolean {
  return (
    sameMembers(object as never, stored as never, ['metadata']) &&
    sameMembers(object.metadata as never, stored.metadata as never, ['resourceVersion', 'managedFields']) &&
    isSameButTimes(object.metadata.managedFields, stored.metadata.managedFields)
  );
}
