// A required field with a fixed set of values.
import { type FieldError, notSupported, required } from '#api/meta/field-errors.ts';

export function oneOf(value: string | undefined, supported: readonly string[], path: string): FieldError[] {
  if (!value) return [required(path)];
  return supported.includes(value) ? [] : [notSupported(path, value, supported)];
}
