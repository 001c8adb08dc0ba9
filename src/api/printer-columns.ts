// The column definitions of a kind's Table form, in upstream's order.
import rows from './generated/printer-columns.json' with { type: 'json' };

export interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  /** 0: always shown; 1: with `-o wide`. */
  readonly priority: number;
}

const byKind: ReadonlyMap<string, readonly ColumnDefinition[]> = new Map(
  rows.map(({ group, kind, columns }) => [`${group}/${kind}`, columns]),
);

/** Undefined for kinds without columns of their own, which show name and age. */
export function printerColumns(group: string, kind: string): readonly ColumnDefinition[] | undefined {
  return byKind.get(`${group}/${kind}`);
}
