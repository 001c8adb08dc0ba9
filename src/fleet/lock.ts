// One daemon for a home: SQLite's exclusive file lock, which the kernel gives back however the process ends.
import { DatabaseSync } from 'node:sqlite';

export interface HeldLock {
  release(): void;
}

/** Undefined if another process holds it. */
export function tryLock(file: string): HeldLock | undefined {
  const database = new DatabaseSync(file);
  try {
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    // SQLITE_BUSY and SQLITE_LOCKED
    const { errcode } = error as { errcode?: number };
    if (errcode === 5 || errcode === 6) return undefined;
    throw error;
  }
}
