// The policies of a Job: which failures of its pods count how, and when it is a success before all its indexes are done.
import { countIndexes } from '#api/batch/completion-indexes.ts';
import type { JobSpec, PodFailurePolicy, PodFailurePolicyRule, SuccessPolicy, SuccessPolicyRule } from '#api/generated/batch-v1.ts';
import {
  type FieldError,
  child,
  duplicate,
  index,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '#api/meta/field-errors.ts';
import { isQualifiedName } from '#api/meta/names.ts';
import { nonNegative } from '../numbers.ts';

const MAX_RULES = 20;
const MAX_PATTERNS = 20;
const MAX_EXIT_CODES = 255;
const MAX_INDEXES_BYTES = 64 * 1024;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const STATUSES = ['False', 'True', 'Unknown'];
const OPERATORS = ['In', 'NotIn'];

export function validatePodFailurePolicy(spec: JobSpec, { rules = [] }: PodFailurePolicy, path: string): FieldError[] {
  const at = child(path, 'rules');
  return [
    ...(rules.length > MAX_RULES ? [tooMany(at, rules.length, MAX_RULES)] : []),
    ...rules.flatMap((rule, position) => validateRule(spec, rule, index(at, position))),
  ];
}

function validateRule(spec: JobSpec, rule: PodFailurePolicyRule, path: string): FieldError[] {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  const errors: FieldError[] = [];
  const at = child(path, 'action');
  if (!action) errors.push(required(at, `valid values: ${quoted(ACTIONS)}`));
  else if (!ACTIONS.includes(action)) errors.push(notSupported(at, action, ACTIONS));
  else if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined)
    errors.push(invalidValue(at, action, 'requires the backoffLimitPerIndex to be set'));
  if (onExitCodes) errors.push(...validateExitCodes(spec, onExitCodes, child(path, 'onExitCodes')));
  errors.push(...validatePatterns(onPodConditions, child(path, 'onPodConditions')));
  if (onExitCodes && onPodConditions.length > 0)
    errors.push(invalidAltogether(path, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  if (!onExitCodes && onPodConditions.length === 0)
    errors.push(invalidAltogether(path, 'specifying one of OnExitCodes and OnPodConditions is required'));
  return errors;
}

function validatePatterns(patterns: NonNullable<PodFailurePolicyRule['onPodConditions']>, path: string): FieldError[] {
  const errors = patterns.length > MAX_PATTERNS ? [tooMany(path, patterns.length, MAX_PATTERNS)] : [];
  for (const [position, { type = '', status }] of patterns.entries()) {
    const at = index(path, position);
    errors.push(...isQualifiedName(type).map((message) => invalidValue(child(at, 'type'), type, message)));
    if (!status) errors.push(required(child(at, 'status'), `valid values: ${quoted(STATUSES)}`));
    else if (!STATUSES.includes(status)) errors.push(notSupported(child(at, 'status'), status, STATUSES));
  }
  return errors;
}

function validateExitCodes(spec: JobSpec, codes: NonNullable<PodFailurePolicyRule['onExitCodes']>, path: string): FieldError[] {
  const { operator, containerName, values = [] } = codes;
  const errors: FieldError[] = [];
  if (!operator) errors.push(required(child(path, 'operator'), `valid values: ${quoted(OPERATORS)}`));
  else if (!OPERATORS.includes(operator)) errors.push(notSupported(child(path, 'operator'), operator, OPERATORS));
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  if (containerName !== undefined && ![...containers, ...initContainers].some(({ name }) => name === containerName))
    errors.push(
      invalidValue(child(path, 'containerName'), containerName, 'must be one of the container or initContainer names in the pod template'),
    );
  const at = child(path, 'values');
  if (values.length === 0) errors.push(invalidValue(at, values, 'at least one value is required'));
  else if (values.length > MAX_EXIT_CODES) errors.push(tooMany(at, values.length, MAX_EXIT_CODES));
  for (const [position, value] of values.entries()) {
    if (operator === 'In' && value === 0) errors.push(invalidValue(index(at, position), value, 'must not be 0 for the In operator'));
    if (values.indexOf(value) < position) errors.push(duplicate(index(at, position), value));
  }
  if (values.some((value, position) => position > 0 && values[position - 1]! > value))
    errors.push(invalidValue(at, values, 'must be ordered'));
  return errors;
}

export function validateSuccessPolicy({ rules = [] }: SuccessPolicy, completions: number, path: string): FieldError[] {
  const at = child(path, 'rules');
  return [
    ...(rules.length === 0 ? [required(at, 'at least one rules must be specified when the successPolicy is specified')] : []),
    ...(rules.length > MAX_RULES ? [tooMany(at, rules.length, MAX_RULES)] : []),
    ...rules.flatMap((rule, position) => validateSuccessRule(rule, completions, index(at, position))),
  ];
}

function validateSuccessRule({ succeededCount, succeededIndexes }: SuccessPolicyRule, completions: number, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (succeededCount === undefined && succeededIndexes === undefined)
    errors.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'));
  let named = 0;
  if (succeededIndexes !== undefined) {
    const at = child(path, 'succeededIndexes');
    if (succeededIndexes.length > MAX_INDEXES_BYTES) errors.push(tooLong(at, MAX_INDEXES_BYTES));
    const counted = countIndexes(succeededIndexes, completions);
    if ('wrong' in counted) errors.push(invalidValue(at, succeededIndexes, `error parsing succeededIndexes: ${counted.wrong}`));
    else named = counted.count;
  }
  if (succeededCount === undefined) return errors;
  const at = child(path, 'succeededCount');
  const atMost = (limit: number, what: string) => invalidValue(at, succeededCount, `must be less than or equal to ${limit} (${what})`);
  errors.push(...nonNegative(succeededCount, at));
  if (succeededCount > completions) errors.push(atMost(completions, 'the number of specified completions'));
  if (succeededIndexes !== undefined && succeededCount > named)
    errors.push(atMost(named, 'the number of indexes in the specified succeededIndexes field'));
  return errors;
}

/** A complaint about the whole that does not repeat it. */
export function invalidAltogether(field: string, detail: string): FieldError {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${detail}` };
}

/** As Go prints a list of strings. */
const quoted = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
