// keks logs: the log files of the daemon and of each cluster's components.
import { createReadStream, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { homeOf } from '#fleet/home.ts';
import { CommandFailure } from './failure.ts';
import type { OutputFormat } from './output.ts';
import { print, table } from './output.ts';

export interface LogsFlags {
  name: string;
  follow: boolean;
  output: OutputFormat;
}

export async function logs(component: string | undefined, { name, follow, output }: LogsFlags): Promise<void> {
  const home = homeOf();
  if (component === undefined) return list(home.logs, output);
  const file = component === 'daemon' ? home.daemonLog : join(home.logs, name, `${component}.log`);
  const size = await sizeOf(file);
  if (size === undefined || component.includes('/')) {
    const known = (await filesBelow(home.logs)).map((path) => path.replace(/\.log$/, '')).join(', ') || 'none yet';
    throw new CommandFailure(`there is no log of ${component} in cluster ${name}; there are: ${known}`);
  }
  await copy(file, 0);
  if (follow) await followFrom(file, size);
}

async function list(directory: string, output: OutputFormat): Promise<void> {
  const files = await filesBelow(directory);
  const rows = files.map((path) => {
    const [component, cluster] = path
      .replace(/\.log$/, '')
      .split('/')
      .reverse() as [string, string?]; // prettier-ignore
    return { component, cluster: cluster ?? '', file: join(directory, path) };
  });
  print(output, rows, () => table([['COMPONENT', 'CLUSTER', 'FILE'], ...rows.map((row) => [row.component, row.cluster, row.file])]));
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.log'))
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

async function followFrom(file: string, from: number): Promise<void> {
  let position = from;
  let copying = Promise.resolve();
  const more = async () => {
    const size = (await sizeOf(file)) ?? 0;
    if (size <= position) return;
    const start = position;
    position = size;
    await copy(file, start);
  };
  const watcher = watch(file, () => {
    copying = copying.then(more);
  });
  await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()));
  watcher.close();
  await copying;
}

function copy(file: string, start: number): Promise<void> {
  return pipeline(createReadStream(file, { start }), process.stdout, { end: false });
}

function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    (found) => found.size,
    () => undefined,
  );
}
