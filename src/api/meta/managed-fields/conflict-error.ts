// The 409 of an apply: which managers own what the configuration would change, path by path.
import type { ApiError } from '../errors.ts';
import { failure } from '../errors.ts';
import type { Conflict } from './apply.ts';
import type { Entry } from './entries.ts';
import { pathText, pathsOf } from './field-set.ts';

export function applyConflict(conflicts: readonly Conflict[]): ApiError {
  const found = conflicts
    .map(({ entry, fields }) => ({ manager: nameOf(entry), paths: pathsOf(fields).map(pathText) }))
    .sort((a, b) => (a.manager < b.manager ? -1 : 1));
  const causes = found.flatMap(({ manager, paths }) =>
    paths.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${manager}`, field })),
  );
  return failure(409, 'Conflict', messageOf(found, causes.length), { causes });
}

function messageOf(found: readonly { manager: string; paths: string[] }[], count: number): string {
  if (count === 1) return `Apply failed with 1 conflict: conflict with ${found[0]!.manager}: ${found[0]!.paths[0]}`;
  const lines = found.flatMap(({ manager, paths }) => [`conflicts with ${manager}:`, ...paths.map((path) => `- ${path}`)]);
  return `Apply failed with ${count} conflicts: ${lines.join('\n')}`;
}

function nameOf({ manager = '', subresource, operation, apiVersion }: Entry): string {
  const name = JSON.stringify(manager) + (subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`);
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}
