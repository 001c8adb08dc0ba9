// The roles and bindings that every cluster starts with: rows of one role or binding folded into one entry.
import type { Row } from '../tsv.ts';
import { list } from '../tsv.ts';

export interface RbacEntry {
  kind: string;
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  /** Match labels of the aggregated roles. */
  aggregates?: Record<string, string>[];
  rules?: { verbs: string[]; apiGroups?: string[]; resources?: string[]; resourceNames?: string[]; nonResourceURLs?: string[] }[];
  /** `ClusterRole/name` */
  roleRef?: string;
  /** `Group:name`, `User:name` or `ServiceAccount:namespace/name`. */
  subjects?: string[];
}

export function bootstrapRbac(rows: Row[]): RbacEntry[] {
  const entries = new Map<string, RbacEntry>();
  for (const row of rows.filter((candidate) => candidate['when'] === 'default')) {
    const { kind, namespace, name } = row as { kind: string; namespace: string; name: string };
    const key = `${kind}/${namespace}/${name}`;
    const entry: RbacEntry = entries.get(key) ?? {
      kind,
      name,
      ...(namespace && { namespace }),
      ...(row['labels'] && { labels: labelsOf(row['labels']) }),
      ...(row['aggregationSelectors'] && { aggregates: row['aggregationSelectors'].split(';').map(labelsOf) }),
    };
    entries.set(key, entry);
    if (kind.endsWith('Binding')) {
      entry.roleRef = row['apiGroups|roleRef']!;
      entry.subjects = row['resources|subjects'] ? row['resources|subjects'].split(';') : [];
    } else {
      entry.rules ??= [];
      if (row['verbs']) entry.rules.push(ruleOf(row));
    }
  }
  return [...entries.values()];
}

function ruleOf(row: Row): NonNullable<RbacEntry['rules']>[number] {
  const apiGroups = list(row['apiGroups|roleRef']!).map((group) => (group === '""' ? '' : group));
  const resources = list(row['resources|subjects']!);
  const resourceNames = list(row['resourceNames']!);
  const nonResourceURLs = list(row['nonResourceURLs']!);
  return {
    verbs: list(row['verbs']!),
    ...(apiGroups.length > 0 && { apiGroups }),
    ...(resources.length > 0 && { resources }),
    ...(resourceNames.length > 0 && { resourceNames }),
    ...(nonResourceURLs.length > 0 && { nonResourceURLs }),
  };
}

function labelsOf(cell: string): Record<string, string> {
  return Object.fromEntries(list(cell).map((pair) => pair.split('=') as [string, string]));
}
