// Label selectors: what a query string or a LabelSelector object selects. One form inside: requirements that must all hold.
import type { LabelSelector } from '#api/generated/meta-v1.ts';
import type { LabelOperator, LabelRequirement } from './label-query.ts';
import type { FieldError, FieldPath } from './field-errors.ts';
import { child, index, invalidValue, notAllowed, required } from './field-errors.ts';
import { parseLabelQuery } from './label-query.ts';
import { validateLabelName, validateLabels } from './meta-validation.ts';
import { isValidLabelValue } from './names.ts';

export type Labels = Readonly<Record<string, string>>;
export interface Selector {
  readonly requirements: readonly LabelRequirement[];
  /** Selects every object. */
  readonly empty: boolean;
  matches(labels: Labels | undefined): boolean;
  /** The canonical query: `a=b,c in (d,e),!f`. */
  toString(): string;
}

const noLabels: Labels = Object.freeze({});

const everything: Selector = { requirements: [], empty: true, matches: () => true, toString: () => '' };
const nothing: Selector = { requirements: [], empty: false, matches: () => false, toString: () => '' };

/** `a=b,c!=d,x in (y,z),!k,k`. Throws a 400 in upstream's words. */
export function parseLabelSelector(text: string): Selector {
  return text === '' ? everything : selectorOf(parseLabelQuery(text));
}

/** An absent selector selects nothing, an empty one everything. Throws where it is not valid: validate first. */
export function selectorOfLabelSelector(selector: LabelSelector | undefined): Selector {
  if (selector === undefined) return nothing;
  const requirements = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]): LabelRequirement => ({ key, operator: '=', values: [value] }),
  );
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const own = operators[operator];
    if (own === undefined) throw new Error(`"${operator}" is not a valid label selector operator`);
    requirements.push({ key, operator: own, values });
  }
  return selectorOf(requirements);
}

/** A plain map of labels, as in a Service's selector. An empty or absent one selects everything. */
export function selectorOfMap(labels: Labels | undefined): Selector {
  return selectorOf(Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] })));
}

const operators: Readonly<Record<string, LabelOperator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };

function selectorOf(unordered: LabelRequirement[]): Selector {
  if (unordered.length === 0) return everything;
  const requirements = unordered.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return {
    requirements,
    empty: false,
    matches: (labels = noLabels) => {
      for (const requirement of requirements) if (!holds(requirement, labels)) return false;
      return true;
    },
    toString: () => requirements.map(show).join(','),
  };
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '=':
      return value === values[0];
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
      return value !== values[0];
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    default:
      return isCompared(operator, value, values[0]!);
  }
}

function isCompared(operator: 'gt' | 'lt', value: string | undefined, limit: string): boolean {
  if (value === undefined || !/^[+-]?[0-9]+$/.test(value)) return false;
  return operator === 'gt' ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
}

function show({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'gt':
      return `${key}>${values[0]}`;
    case 'lt':
      return `${key}<${values[0]}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${[...values].sort().join(',')})`;
    default:
      return `${key}${operator}${values[0]}`;
  }
}

export function validateLabelSelector(selector: LabelSelector | undefined, path: FieldPath): FieldError[] {
  const errors = validateLabels(selector?.matchLabels, child(path, 'matchLabels'));
  for (const [position, { key, operator, values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const at = index(child(path, 'matchExpressions'), position);
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) errors.push(required(child(at, 'values'), "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        errors.push(notAllowed(child(at, 'values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else errors.push(invalidValue(child(at, 'operator'), operator, 'not a valid selector operator'));
    errors.push(...validateLabelName(key, child(at, 'key')));
    for (const [i, value] of values.entries()) {
      for (const message of isValidLabelValue(value)) errors.push(invalidValue(index(child(at, 'values'), i), value, message));
    }
  }
  return errors;
}
