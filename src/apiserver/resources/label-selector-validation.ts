// Which LabelSelector objects are well-formed.
import type { LabelSelector } from '#api/generated/meta-v1.ts';
import { type FieldError, child, index, invalidValue, notAllowed, required } from '#api/meta/field-errors.ts';
import { validateLabelName, validateLabels } from '#api/meta/meta-validation.ts';
import { isValidLabelValue } from '#api/meta/names.ts';

export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (!selector) return [];
  const errors = validateLabels(selector.matchLabels, child(path, 'matchLabels'));
  for (const [position, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const at = index(child(path, 'matchExpressions'), position);
    errors.push(...validateOperator(operator, values, at), ...validateLabelName(key ?? '', child(at, 'key')));
    for (const [place, value] of values.entries())
      errors.push(...isValidLabelValue(value).map((message) => invalidValue(index(child(at, 'values'), place), value, message)));
  }
  return errors;
}

function validateOperator(operator: string, values: readonly string[], path: string): FieldError[] {
  if (operator === 'In' || operator === 'NotIn')
    return values.length > 0 ? [] : [required(child(path, 'values'), "must be specified when `operator` is 'In' or 'NotIn'")];
  if (operator === 'Exists' || operator === 'DoesNotExist')
    return values.length === 0
      ? []
      : [notAllowed(child(path, 'values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
  return [invalidValue(child(path, 'operator'), operator ?? '', 'not a valid selector operator')];
}
