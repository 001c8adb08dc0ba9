// Directories and files of the node that a pod asks for by path, checked or made by their type.
import { constants } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import path from 'node:path';
import type { HostPathVolumeSource } from '#api/generated/core-v1.ts';
import { MountError } from './mount-error.ts';

export async function hostPath({ path: wanted, type = '' }: HostPathVolumeSource): Promise<string> {
  const info = await stat(wanted).catch(() => undefined);
  const refuse = (what: string): never => {
    throw new MountError(`hostPath type check failed: ${wanted} is not ${what}`);
  };
  switch (type) {
    case 'DirectoryOrCreate':
      if (info === undefined) await mkdir(wanted, { recursive: true, mode: 0o755 });
      else if (!info.isDirectory()) refuse('a directory');
      break;
    case 'FileOrCreate':
      if (info === undefined) await createFile(wanted);
      else if (!info.isFile()) refuse('a file');
      break;
    case 'Directory':
      if (!info?.isDirectory()) refuse('a directory');
      break;
    case 'File':
      if (!info?.isFile()) refuse('a file');
      break;
    case 'Socket':
      if (!info?.isSocket()) refuse('a socket file');
      break;
    case 'CharDevice':
      if (!info?.isCharacterDevice()) refuse('a character device');
      break;
    case 'BlockDevice':
      if (!info?.isBlockDevice()) refuse('a block device');
      break;
    default:
      // Unchecked; container runtimes make a missing directory on their own, so it is made here.
      if (info === undefined) await mkdir(wanted, { recursive: true, mode: 0o755 });
  }
  return wanted;
}

/** The directory must exist, as upstream demands of FileOrCreate. */
async function createFile(file: string): Promise<void> {
  if ((await stat(path.dirname(file)).catch(() => undefined)) === undefined)
    throw new MountError(`open ${file}: no such file or directory`);
  await (await open(file, constants.O_CREAT | constants.O_RDWR, 0o644)).close();
}
