// The field labels that a list or watch of a kind may select by, beyond the default of name and namespace.
import type { Row } from '../tsv.ts';

export interface FieldSelectorsEntry {
  group: string;
  kind: string;
  labels: string[];
}

export function fieldSelectors(rows: Row[]): FieldSelectorsEntry[] {
  const entries: FieldSelectorsEntry[] = [];
  for (const { apiVersion, kind, label } of rows as { apiVersion: string; kind: string; label: string }[]) {
    if (apiVersion.startsWith('(') || apiVersion === '*') continue;
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
    let entry = entries.find((candidate) => candidate.group === group && candidate.kind === kind);
    if (entry === undefined) entries.push((entry = { group, kind, labels: [] }));
    entry.labels.push(label);
  }
  return entries;
}
