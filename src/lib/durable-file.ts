// A file that is either the old one or the new one, whole, also after kill -9 or power loss.
import { mkdir, open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Writes beside the file, syncs, renames, syncs the directory. Readable by the owner only unless told. */
export async function writeDurably(file: string, content: string | Buffer, mode = 0o600): Promise<void> {
  const directory = dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // One writer per file and process at a time: the owner sees to it. Of two processes the last one wins.
  const beside = join(directory, `.${basename(file)}.${process.pid}.new`);
  const handle = await open(beside, 'w', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
  await syncDirectory(directory);
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
