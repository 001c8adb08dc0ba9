// What kubectl shows of a binding: the role and who has it.
import type { Subject } from '#api/generated/rbac-v1.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { Column } from '../resource.ts';
import { ageCell, nameCell } from '../table-cells.ts';
import type { Binding } from './rules.ts';

export const bindingColumns: readonly Column<KubeObject & Binding>[] = [
  nameCell,
  ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`,
  ageCell,
  (binding) => subjectNames(binding, 'User', ({ name }) => name),
  (binding) => subjectNames(binding, 'Group', ({ name }) => name),
  (binding) => subjectNames(binding, 'ServiceAccount', ({ name, namespace = '' }) => `${namespace}/${name}`),
];

function subjectNames({ subjects = [] }: Binding, kind: string, text: (subject: Subject) => string): string {
  return subjects
    .filter((subject) => subject.kind === kind)
    .map(text)
    .join(', ');
}
