// The field labels by which lists and watches of a kind may select.
import rows from './generated/field-selectors.json' with { type: 'json' };

const byKind: ReadonlyMap<string, readonly string[]> = new Map(rows.map(({ group, kind, labels }) => [`${group}/${kind}`, labels]));
const everyKind: readonly string[] = ['metadata.name', 'metadata.namespace'];

export function fieldLabels(group: string, kind: string): readonly string[] {
  return byKind.get(`${group}/${kind}`) ?? everyKind;
}
