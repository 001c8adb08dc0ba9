// Puts a snapshot in the place of a store: its state comes back, its revisions do not.
import { existsSync } from 'node:fs';
import { constants, copyFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '#lib/durable-file.ts';
import { continueAbove, openSqliteDatabase } from './sqlite-database.ts';
import { DamagedStoreError } from './store.ts';

/** Added where nobody can say which revisions the lost store gave out after the snapshot: hours of writing at full speed. */
const unknownRevisions = 100_000_000;

/**
 * Writes the state of `snapshot` to `file`, whole or not at all, and answers the revision it goes on from. That is above every
 * revision that the replaced store gave out, and all before it counts as compacted: whoever watched the old store lists again.
 * The replaced store must not be open.
 */
export async function restoreSnapshot({ snapshot, file }: { snapshot: string; file: string }): Promise<number> {
  const partial = `${file}.restoring`;
  await removeStore(partial);
  try {
    await copyFile(snapshot, partial, constants.COPYFILE_FICLONE);
    const restored = openSqliteDatabase(partial);
    const { revision } = restored;
    restored.compact(revision);
    restored.close();
    const given = revisionOf(file);
    const next = continueAbove(partial, given === undefined ? revision + unknownRevisions : Math.max(revision, given));
    await rm(`${file}-wal`, { force: true });
    await rm(`${file}-shm`, { force: true });
    await rename(partial, file);
    await syncDirectory(dirname(file));
    return next;
  } finally {
    await removeStore(partial);
  }
}

/** Undefined where there is no store that can be read. */
function revisionOf(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const replaced = openSqliteDatabase(file);
    const { revision } = replaced;
    // Closing it folds its log into the file.
    replaced.close();
    return revision;
  } catch (error) {
    if (error instanceof DamagedStoreError) return undefined;
    throw error;
  }
}

async function removeStore(file: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${file}${suffix}`, { force: true });
}
