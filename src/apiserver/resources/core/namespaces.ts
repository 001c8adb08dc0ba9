// Namespaces: active until deleted, and held by their own finalizer list until they are empty.
import type { Namespace } from '#api/generated/core-v1.ts';
import { namespaces } from '#api/generated/resources.ts';
import { type FieldError, index, invalidValue } from '#api/meta/field-errors.ts';
import { dnsLabelName } from '#api/meta/names.ts';
import { validateFinalizerName } from '#api/meta/meta-validation.ts';
import type { ResourceRules } from '../resource.ts';
import { keepStatus } from '../status-ownership.ts';
import { ageCell, nameCell } from '../table-cells.ts';

const NAME_LABEL = 'kubernetes.io/metadata.name';

export const namespaceRules: ResourceRules<Namespace> = {
  resource: namespaces,
  setDefaults(namespace) {
    if (namespace.metadata.name) namespace.metadata.labels = { ...namespace.metadata.labels, [NAME_LABEL]: namespace.metadata.name };
    namespace.spec ??= {};
    namespace.status ??= {};
    namespace.status.phase ||= 'Active';
  },
  prepareForCreate(namespace) {
    namespace.status = { phase: 'Active' };
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = { ...namespace.spec, finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'] };
  },
  prepareForUpdate(namespace, old) {
    // Only the finalize subresource changes the finalizers of the spec.
    namespace.spec = { ...namespace.spec };
    if (old.spec?.finalizers) namespace.spec.finalizers = old.spec.finalizers;
    else delete namespace.spec.finalizers;
    keepStatus(namespace, old);
  },
  validate: (namespace) =>
    (namespace.spec?.finalizers ?? []).flatMap((name, position) => validateFinalizerName(name, index('spec.finalizers', position))),
  status: { validateUpdate: validatePhase },
  columns: [nameCell, (namespace) => namespace.status?.phase ?? '', ageCell],
  selectableFields: (namespace) => ({ 'status.phase': namespace.status?.phase ?? '' }),
  validateName: dnsLabelName,
};

function validatePhase(namespace: Namespace): FieldError[] {
  const phase = namespace.status?.phase ?? '';
  if (!namespace.metadata.deletionTimestamp)
    return phase === 'Active' ? [] : [invalidValue('status.phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")];
  return phase === 'Terminating'
    ? []
    : [invalidValue('status.phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
}
