// Limit ranges: per type of thing, bounds that do not contradict each other, and defaults within them.
import type { LimitRange, LimitRangeItem } from '#api/generated/core-v1.ts';
import { limitranges } from '#api/generated/resources.ts';
import { type FieldError, child, duplicate, index, invalidValue, key, notAllowed, required } from '#api/meta/field-errors.ts';
import { isQualifiedName } from '#api/meta/names.ts';
import { approximateValueOf, compareQuantities } from '#api/meta/quantity.ts';
import type { ResourceRules } from '../resource.ts';
import { nameCell } from '../table-cells.ts';
import { isOvercommitAllowed, validateContainerResourceName } from './pod-spec/resources.ts';
import { validateResourceName } from './resource-names.ts';

const STANDARD_TYPES: ReadonlySet<string> = new Set(['Pod', 'Container', 'PersistentVolumeClaim']);
const AMOUNTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

export const limitRangeRules: ResourceRules<LimitRange> = {
  resource: limitranges,
  setDefaults: ({ spec }) => spec?.limits?.forEach(setItemDefaults),
  prepareForCreate({ metadata }) {
    // As upstream: a limit range without a name gets one that nobody else has.
    if (!metadata.name && !metadata.generateName) metadata.name = metadata.uid!;
  },
  validate: ({ spec }) => validateItems(spec?.limits ?? []),
  columns: [nameCell, ({ metadata }) => metadata.creationTimestamp ?? null],
};

/** What a container gets without asking: its most, unless said otherwise; and it asks for that, or for the least. */
function setItemDefaults(item: LimitRangeItem): void {
  if (item.type !== 'Container') return;
  item.default = { ...item.max, ...item.default };
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
}

function validateItems(items: readonly LimitRangeItem[]): FieldError[] {
  const seen = new Set<string>();
  return items.flatMap((item, position) => {
    const path = index('spec.limits', position);
    const errors = validateType(item.type ?? '', child(path, 'type'));
    if (seen.has(item.type)) errors.push(duplicate(child(path, 'type'), item.type));
    seen.add(item.type);
    return [...errors, ...validateItem(item, path)];
  });
}

function validateType(type: string, path: string): FieldError[] {
  const wrong = isQualifiedName(type).map((message) => invalidValue(path, type, message));
  if (wrong.length > 0 || type.includes('/') || STANDARD_TYPES.has(type)) return wrong;
  return [invalidValue(path, type, 'must be a standard limit type or fully qualified')];
}

function validateItem(item: LimitRangeItem, path: string): FieldError[] {
  const isOfContainers = item.type === 'Pod' || item.type === 'Container';
  const validateName = isOfContainers ? validateContainerResourceName : validateResourceName;
  const errors: FieldError[] = [];
  for (const field of AMOUNTS) {
    const names = Object.keys(item[field] ?? {});
    if (item.type === 'Pod' && (field === 'default' || field === 'defaultRequest')) {
      if (names.length > 0) errors.push(notAllowed(child(path, field), "may not be specified when `type` is 'Pod'"));
    } else errors.push(...names.flatMap((name) => validateName(name, key(child(path, field), name))));
  }
  if (item.type === 'PersistentVolumeClaim' && item.min?.['storage'] === undefined && item.max?.['storage'] === undefined) {
    errors.push(required(child(path, 'limits'), 'either minimum or maximum storage value is required, but neither was provided'));
  }
  const all = new Set(AMOUNTS.flatMap((field) => Object.keys(item[field] ?? {})));
  return [...errors, ...[...all].sort().flatMap((name) => validateBounds(item, name, path))];
}

function validateBounds(item: LimitRangeItem, name: string, path: string): FieldError[] {
  const at = (field: (typeof AMOUNTS)[number]) => key(child(path, field), name);
  const [max, min, limit, request, ratio] = AMOUNTS.map((field) => item[field]?.[name]);
  const exceeds = (a: string | undefined, b: string | undefined) => a !== undefined && b !== undefined && compareQuantities(a, b) > 0;
  const errors: FieldError[] = [];
  const refuse = (field: (typeof AMOUNTS)[number], value: unknown, text: string) => errors.push(invalidValue(at(field), value, text));
  if (exceeds(min, max)) refuse('min', min, `min value ${min} is greater than max value ${max}`);
  if (exceeds(min, request)) refuse('defaultRequest', request, `min value ${min} is greater than default request value ${request}`);
  if (exceeds(request, max)) refuse('defaultRequest', request, `default request value ${request} is greater than max value ${max}`);
  if (exceeds(request, limit)) {
    refuse('defaultRequest', request, `default request value ${request} is greater than default limit value ${limit}`);
  }
  if (exceeds(min, limit)) refuse('default', min, `min value ${min} is greater than default value ${limit}`);
  if (exceeds(limit, max)) refuse('default', max, `default value ${limit} is greater than max value ${max}`);
  if (exceeds('1', ratio)) refuse('maxLimitRequestRatio', ratio, `ratio ${ratio} is less than 1`);
  if (ratio !== undefined && min !== undefined && max !== undefined) {
    const widest = approximateValueOf(max) / approximateValueOf(min);
    if (approximateValueOf(ratio) > widest) {
      refuse('maxLimitRequestRatio', ratio, `ratio ${ratio} is greater than max/min = ${widest.toFixed(6)}`);
    }
  }
  const mustAgree = !isOvercommitAllowed(name) && limit !== undefined && request !== undefined && compareQuantities(limit, request) !== 0;
  if (mustAgree) refuse('defaultRequest', request, `default value ${limit} must equal to defaultRequest value ${request} in ${name}`);
  return errors;
}
