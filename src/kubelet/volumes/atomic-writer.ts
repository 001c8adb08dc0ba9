// Writes a volume's files so that readers see either all old or all new ones: a fresh directory, then one renamed `..data` link.
import { chmod, chown, lstat, mkdir, readFile, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface VolumeFile {
  data: Buffer;
  mode: number;
}

export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

const dataLink = '..data';

/** Answers whether anything changed. `stamp` must be unique for each call with changes. With a group, its members may read the files. */
export async function writeAtomically(directory: string, given: VolumeFiles, stamp: string, group?: number): Promise<boolean> {
  const files = group === undefined ? given : new Map([...given].map(([name, file]) => [name, { ...file, mode: file.mode | 0o440 }]));
  await mkdir(directory, { recursive: true, mode: 0o777 });
  const old = await readlink(path.join(directory, dataLink)).catch(() => undefined);
  if (old !== undefined && (await holds(path.join(directory, old), files))) return false;
  const fresh = `..${stamp}`;
  await mkdir(path.join(directory, fresh), { mode: 0o755 });
  for (const [name, { data, mode }] of files) {
    const file = path.join(directory, fresh, name);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, data, { mode });
    if (group !== undefined) await chown(file, -1, group);
    await chmod(file, mode);
  }
  // A writer that was killed here once may have left its link.
  await rm(path.join(directory, '..data_tmp'), { force: true });
  await symlink(fresh, path.join(directory, '..data_tmp'));
  await rename(path.join(directory, '..data_tmp'), path.join(directory, dataLink));
  await linkTopLevel(directory, files);
  if (old !== undefined) await rm(path.join(directory, old), { recursive: true, force: true });
  return true;
}

async function linkTopLevel(directory: string, files: VolumeFiles): Promise<void> {
  const wanted = new Set([...files.keys()].map((name) => name.split('/')[0]!));
  for (const name of await readdir(directory)) {
    if (!name.startsWith('..') && !wanted.has(name)) await rm(path.join(directory, name), { recursive: true, force: true });
  }
  for (const name of wanted) {
    const link = path.join(directory, name);
    if ((await lstat(link).catch(() => undefined)) === undefined) await symlink(path.join(dataLink, name), link);
  }
}

async function holds(directory: string, files: VolumeFiles): Promise<boolean> {
  const present = await filesBelow(directory).catch(() => undefined);
  if (present === undefined || present.length !== files.size) return false;
  for (const [name, { data, mode }] of files) {
    const file = path.join(directory, name);
    const [content, info] = await Promise.all([readFile(file).catch(() => undefined), lstat(file).catch(() => undefined)]);
    if (content === undefined || info === undefined || !content.equals(data) || (info.mode & 0o777) !== (mode & 0o777)) return false;
  }
  return true;
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}
