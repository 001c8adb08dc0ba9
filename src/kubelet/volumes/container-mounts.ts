// A container's volume mounts as paths on the node; a subPath never leads out of its volume.
import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { Container, VolumeMount } from '#api/generated/core-v1.ts';
import { ConfigError } from '../env.ts';
import { expand } from '../expand.ts';
import type { ContainerConfig } from '../runtime/runtime.ts';
import type { MountedVolumes } from './volume-manager.ts';

export async function containerMounts(
  { container, volumes }: { container: Container; volumes: MountedVolumes },
  env: ReadonlyMap<string, string>,
): Promise<ContainerConfig['mounts']> {
  const mounts: ContainerConfig['mounts'] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name);
    if (volume === undefined) continue;
    mounts.push({
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : path.posix.join('/', mount.mountPath),
      hostPath: await placeOf(volume, mount, env),
      readOnly: mount.readOnly === true,
      ...(mount.mountPropagation && { propagation: mount.mountPropagation as 'None' | 'HostToContainer' | 'Bidirectional' }),
    });
  }
  return mounts;
}

async function placeOf(volume: string, mount: VolumeMount, env: ReadonlyMap<string, string>): Promise<string> {
  const subPath = mount.subPathExpr ? expand(mount.subPathExpr, env) : mount.subPath;
  if (!subPath) return volume;
  if (path.isAbsolute(subPath) || subPath.split('/').includes('..')) {
    throw new ConfigError(`failed to prepare subPath for volumeMount "${mount.name}" of container: must not leave the volume`);
  }
  const root = await realpath(volume);
  // Links inside the volume are the container's own doing: they must not lead to the node's files, nor have directories made there.
  let place = root;
  for (const part of subPath.split('/').filter((name) => name !== '' && name !== '.')) {
    place = await stepInto(path.join(place, part));
    if (place !== root && !place.startsWith(root + path.sep)) {
      throw new ConfigError(`failed to prepare subPath for volumeMount "${mount.name}" of container: ${subPath} leads out of the volume`);
    }
  }
  return place;
}

/** Where one step really leads; a directory is made where nothing is, never through a link. */
async function stepInto(step: string): Promise<string> {
  try {
    return await realpath(step);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await mkdir(step, { mode: 0o750 }).catch((error: NodeJS.ErrnoException) => {
    // Another container of the pod was first, or a link leads to what is not there.
    if (error.code !== 'EEXIST') throw error;
  });
  return realpath(step);
}
