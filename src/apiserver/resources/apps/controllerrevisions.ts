// Controller revisions: snapshots of what a DaemonSet or StatefulSet was; their data never changes.
import type { ControllerRevision } from '#api/generated/apps-v1.ts';
import { controllerrevisions } from '#api/generated/resources.ts';
import { type FieldError, required } from '#api/meta/field-errors.ts';
import { validateImmutableField } from '#api/meta/meta-validation.ts';
import { controllerOf } from '#api/meta/owner-references.ts';
import { nonNegative } from '../numbers.ts';
import type { ResourceRules } from '../resource.ts';
import { ageCell, nameCell } from '../table-cells.ts';

export const controllerRevisionRules: ResourceRules<ControllerRevision> = {
  resource: controllerrevisions,
  validate,
  validateUpdate: (revision, old) => validateImmutableField(revision.data, old.data, 'data'),
  columns: [nameCell, controllerCell, ({ revision }) => revision ?? 0, ageCell],
};

function validate({ data, revision }: ControllerRevision): FieldError[] {
  return [
    ...(data === undefined || data === null ? [required('data', 'data is mandatory')] : []),
    ...(revision === undefined ? [] : nonNegative(revision, 'revision')),
  ];
}

/** `daemonset.apps/web`, as kubectl names its owner. */
function controllerCell(revision: ControllerRevision): string {
  const controller = controllerOf(revision);
  if (controller === undefined) return '<none>';
  const [group, version] = controller.apiVersion?.split('/') ?? [];
  const kind = controller.kind?.toLowerCase() ?? '';
  return `${kind}${version === undefined ? '' : `.${group}`}/${controller.name}`;
}
