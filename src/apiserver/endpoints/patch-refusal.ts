// How the result of a patch is refused that is no object of the kind: 422 on the field `patch`, unlike any other body (apiserver's patch.go).
import type { ApiError } from '#api/meta/errors.ts';
import { invalid } from '#api/meta/errors.ts';
import { invalidValue } from '#api/meta/field-errors.ts';
import { goText } from '#api/meta/go-text.ts';
import type { PatchType } from '#client/client.ts';

/** JSON and merge patches show the patched object, strategic ones the patch itself, printed as a Go map. */
export function patchRefusal(type: PatchType, patch: unknown, patched: unknown): (detail: string) => ApiError {
  return (detail) => {
    const isStrategic = type === 'strategic';
    const shown = isStrategic ? goText(patch) : JSON.stringify(patched);
    return invalid({ group: '', kind: '' }, '', [invalidValue('patch', shown, isStrategic ? conversionError(detail) : detail)]);
  };
}

/**
 * A strategic merge patch is never JSON again: what arrives in the object's fields are Go values, converted by reflection, with messages of their own.
 */
function conversionError(detail: string): string {
  const mismatch = /^json: cannot unmarshal (\w+)(?: ([-+.0-9eE]+))? into Go (?:struct field \S+|value) of type (.+)$/.exec(detail);
  if (mismatch === null) return detail;
  const [, given = '', number, type = ''] = mismatch;
  const isFraction = number !== undefined && /[.eE]/.test(number);
  const kind = { number: isFraction ? 'float64' : 'int64', array: 'slice', object: 'map' }[given] ?? given;
  if (type.startsWith('[]') && type !== '[]uint8') return `cannot restore slice from ${kind}`;
  if (type.startsWith('map[')) return `cannot restore map from ${kind}`;
  if (/^\w+\.[A-Z]/.test(type)) return `cannot restore struct from: ${kind}`;
  // Go can convert these two, but they mean something else in JSON.
  const isConvertible = (kind === 'int64' && type !== 'bool') || (kind === 'float64' && /^(int|float)/.test(type));
  return isConvertible ? `cannot convert ${kind} to ${type}` : `unrecognized type: ${type}`;
}
