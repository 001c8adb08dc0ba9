// Checks of single numbers that many kinds make.
import { type FieldError, invalidValue } from '#api/meta/field-errors.ts';

export function nonNegative(value: number | undefined, path: string): FieldError[] {
  return value !== undefined && value < 0 ? [invalidValue(path, value, 'must be greater than or equal to 0')] : [];
}
