// A container's volume mounts as paths on the node; a subPath never leads out of its volume.
import { mkdir, realpath, stat } from 'node:fs/promises';
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
  const place = path.join(volume, subPath);
  if ((await stat(place).catch(() => undefined)) === undefined) await mkdir(place, { recursive: true, mode: 0o750 });
  // Links inside the volume are the container's own doing: they must not lead to the node's files.
  const [real, root] = await Promise.all([realpath(place), realpath(volume)]);
  if (real !== root && !real.startsWith(root + path.sep)) {
    throw new ConfigError(`failed to prepare subPath for volumeMount "${mount.name}" of container: ${subPath} leads out of the volume`);
  }
  return real;
}
