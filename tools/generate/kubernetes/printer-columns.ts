// The column definitions of the Table form. What a cell holds is behaviour and stands in the resources' rules.
import type { Row } from '../tsv.ts';

export interface ColumnsEntry {
  group: string;
  kind: string;
  columns: { name: string; type: string; format: string; priority: number }[];
}

export function printerColumns(rows: Row[]): ColumnsEntry[] {
  const entries: ColumnsEntry[] = [];
  for (const row of rows) {
    if (row['group']!.startsWith('_') || row['group']!.startsWith('(') || row['column'] === '') continue;
    for (const named of row['group']!.split(' + ')) {
      const group = named === 'core' ? '' : named === 'meta' ? 'meta.k8s.io' : named;
      let entry = entries.find((candidate) => candidate.group === group && candidate.kind === row['kind']);
      if (entry === undefined) entries.push((entry = { group, kind: row['kind']!, columns: [] }));
      entry.columns.push({ name: row['column']!, type: row['type']!, format: row['format']!, priority: Number(row['priority'] || 0) });
    }
  }
  return entries;
}
