// Priority classes: user values stay below a billion, and a value never changes.
import type { PriorityClass } from '#api/generated/scheduling-v1.ts';
import { priorityclasses } from '#api/generated/resources.ts';
import { type FieldError, notAllowed, notSupported } from '#api/meta/field-errors.ts';
import { validateImmutableField } from '#api/meta/meta-validation.ts';
import type { ResourceRules } from '../resource.ts';
import { ageCell, nameCell } from '../table-cells.ts';

const HIGHEST_USER_PRIORITY = 1_000_000_000;
const SYSTEM_CLASSES: ReadonlyMap<string, number> = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
]);

export const priorityClassRules: ResourceRules<PriorityClass> = {
  resource: priorityclasses,
  setDefaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
    priorityClass.value ??= 0;
  },
  validate(priorityClass) {
    const { value = 0, preemptionPolicy = '' } = priorityClass;
    const errors: FieldError[] = [];
    if (priorityClass.metadata.name?.startsWith('system-')) errors.push(...validateSystemClass(priorityClass));
    else if (value > HIGHEST_USER_PRIORITY)
      errors.push(notAllowed('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`));
    const policies = ['PreemptLowerPriority', 'Never'];
    if (!policies.includes(preemptionPolicy)) errors.push(notSupported('preemptionPolicy', preemptionPolicy, policies));
    return errors;
  },
  validateUpdate: (priorityClass, old) => [
    ...((priorityClass.value ?? 0) === (old.value ?? 0) ? [] : [notAllowed('value', 'may not be changed in an update.')]),
    ...validateImmutableField(priorityClass.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy'),
  ],
  columns: [
    nameCell,
    (priorityClass) => priorityClass.value ?? 0,
    (priorityClass) => priorityClass.globalDefault ?? false,
    ageCell,
    (priorityClass) => priorityClass.preemptionPolicy ?? '',
  ],
};

function validateSystemClass({ metadata: { name = '' }, value, globalDefault }: PriorityClass): FieldError[] {
  const expected = SYSTEM_CLASSES.get(name);
  const problem =
    expected === undefined
      ? `${name} is not a known system priority class`
      : value !== expected
        ? `value of ${name} PriorityClass must be ${expected}`
        : globalDefault
          ? `globalDefault of ${name} PriorityClass must be false`
          : undefined;
  if (problem === undefined) return [];
  return [notAllowed('metadata.name', `priority class names with 'system-' prefix are reserved for system use only. error: ${problem}`)];
}
