// The repo's own source files, as the tidy tests read them.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface SourceFile {
  path: string;
  text: string;
  lines: string[];
}

/** Files that git tracks or would track, below the given folders, with one of the endings. */
export function filesOf(folders: string[], endings: string[]): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...folders], {
    cwd: root,
    encoding: 'utf8',
  });
  return [...new Set(listed.split('\n'))]
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .flatMap((path) => {
      const text = read(path);
      return text === undefined ? [] : [{ path, text, lines: text.split('\n') }];
    });
}

export const typescript = (): SourceFile[] =>
  filesOf(['src', 'test', 'tools', 'bench'], ['.ts']).filter(({ path }) => !path.includes('/generated/'));

/** The module specifiers that a file imports, at run time or for types. */
export function importsOf(file: SourceFile): { specifier: string; typeOnly: boolean }[] {
  const found = file.text.matchAll(
    /^(?:import|export)\s(?<type>type\s)?[^'"`]*?from\s+'(?<specifier>[^']+)'|import\('(?<dynamic>[^']+)'\)/gm,
  );
  return [...found].map(({ groups }) => ({
    specifier: groups!['specifier'] ?? groups!['dynamic']!,
    typeOnly: groups!['type'] !== undefined,
  }));
}

/** A deleted file that git still lists has no text. */
function read(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
