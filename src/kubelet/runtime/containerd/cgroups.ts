// Pods' cgroups: the runtime makes them on the way to its containers' own, and leaves them when these are gone.
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cgroupAnnotation } from './convert.ts';

const root = '/sys/fs/cgroup';

/** Removes a removed pod's cgroup from each hierarchy (one on cgroup v2). One that is gone or in use again is left. */
export async function removePodCgroup(annotations: Record<string, string> | undefined): Promise<void> {
  const cgroup = annotations?.[cgroupAnnotation];
  if (cgroup === undefined || cgroup === '' || cgroup.includes('..')) return;
  const controllers = await readdir(root).catch(() => []);
  for (const directory of [join(root, cgroup), ...controllers.map((name) => join(root, name, cgroup))])
    await rmdir(directory).catch(() => undefined);
}
