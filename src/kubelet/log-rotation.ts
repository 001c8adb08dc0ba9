// Keeps container logs within bounds: at 10 Mi a file is moved aside and the runtime opens a new one; five files a container are kept.
import { readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { KubeletContext } from './context.ts';

const maxBytes = 10 * 1024 * 1024;
const maxFiles = 5;

export async function rotateLogs(context: Pick<KubeletContext, 'runtime' | 'clock'>): Promise<void> {
  for (const { containers } of await context.runtime.pods()) {
    for (const container of containers) {
      if (container.state !== 'running' || container.logPath === undefined) continue;
      const size = await stat(container.logPath).then(
        (info) => info.size,
        () => 0,
      );
      if (size < maxBytes) continue;
      const stamp = new Date(context.clock.now()).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
      await rename(container.logPath, `${container.logPath}.${stamp}`);
      await context.runtime.reopenLog!(container.id);
      await dropOldest(container.logPath);
    }
  }
}

async function dropOldest(logPath: string): Promise<void> {
  const rotated = (await rotatedLogs(logPath)).slice(0, -(maxFiles - 1));
  for (const file of rotated) await rm(file, { force: true });
}

/** A log's earlier files, oldest first. */
export async function rotatedLogs(logPath: string): Promise<string[]> {
  const directory = path.dirname(logPath);
  const prefix = `${path.basename(logPath)}.`;
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix))
    .sort()
    .map((name) => path.join(directory, name));
}
