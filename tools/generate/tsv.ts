// Reads the pinned input tables: tab-separated, one header row, no quoting.
import { readFileSync } from 'node:fs';

export type Row = Record<string, string>;

export function readTable(name: string): Row[] {
  const lines = readFileSync(new URL(`inputs/kubernetes/${name}.tsv`, import.meta.url), 'utf8').split('\n');
  const header = lines[0]!.split('\t');
  return lines
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const cells = line.split('\t');
      return Object.fromEntries(header.map((column, i) => [column, cells[i] ?? '']));
    });
}

/** A comma-separated cell; an empty cell is an empty list. */
export function list(cell: string): string[] {
  return cell === '' ? [] : cell.split(',');
}
