// Runtime classes: the handler that runs a pod, what that costs on top, and on which nodes it is there.
import type { RuntimeClass } from '#api/generated/node-v1.ts';
import { runtimeclasses } from '#api/generated/resources.ts';
import { invalidValue } from '#api/meta/field-errors.ts';
import { validateImmutableField, validateLabels } from '#api/meta/meta-validation.ts';
import { dnsLabelName } from '#api/meta/names.ts';
import { validateOverhead } from '../core/pod-spec/resources.ts';
import { validateTolerations } from '../core/pod-spec/scheduling.ts';
import type { ResourceRules } from '../resource.ts';
import { ageCell, nameCell } from '../table-cells.ts';

export const runtimeClassRules: ResourceRules<RuntimeClass> = {
  resource: runtimeclasses,
  validate: ({ handler = '', overhead, scheduling }) => [
    ...dnsLabelName(handler, false).map((text) => invalidValue('handler', handler, text)),
    ...validateOverhead(overhead?.podFixed, 'overhead.podFixed'),
    ...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'),
    ...validateTolerations(scheduling?.tolerations ?? [], 'scheduling.tolerations'),
  ],
  validateUpdate: (runtimeClass, old) => validateImmutableField(runtimeClass.handler, old.handler, 'handler'),
  columns: [nameCell, ({ handler }) => handler ?? '', ageCell],
};
