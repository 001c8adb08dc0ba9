// `npm run generate`: pinned input tables → committed files under generated/. With --check it writes nothing and fails on a difference.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateEks } from './eks.ts';
import { kubernetesFiles } from './kubernetes/files.ts';

/** Path below the repository's root → contents. Every file of `folders` is generated; what is not listed is removed. */
export type Files = Map<string, string>;

const root = fileURLToPath(new URL('../../', import.meta.url));
const folders = ['src/api/generated', 'src/eks/generated'];

function main(check: boolean): void {
  const files: Files = kubernetesFiles();
  for (const { path, content } of generateEks()) files.set(path, content);
  const differences = [
    ...[...files].filter(([path, text]) => !existsSync(root + path) || readFileSync(root + path, 'utf8') !== text).map(([path]) => path),
    ...folders.flatMap((folder) => strays(folder, files)),
  ];
  if (check) {
    for (const path of differences) console.error(`${path} differs from what its inputs give: run npm run generate`);
    process.exitCode = differences.length > 0 ? 1 : 0;
    return;
  }
  for (const path of differences) {
    const text = files.get(path);
    if (text === undefined) {
      rmSync(root + path);
      continue;
    }
    mkdirSync(dirname(root + path), { recursive: true });
    writeFileSync(root + path, text);
  }
  console.log(`${files.size} files, ${differences.length} changed`);
}

function strays(folder: string, files: Files): string[] {
  if (!existsSync(root + folder)) return [];
  return readdirSync(root + folder)
    .map((name) => `${folder}/${name}`)
    .filter((path) => !files.has(path));
}

main(process.argv.includes('--check'));
