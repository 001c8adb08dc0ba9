// What config maps and secrets share: how much they may hold, and that an immutable one stays as it is.
import { isDeepStrictEqual } from 'node:util';
import { type FieldError, notAllowed } from '#api/meta/field-errors.ts';

/** A config map or secret holds a megabyte at most, whatever a request may carry. */
export const MAX_DATA_BYTES = 1024 * 1024;

const IMMUTABLE = 'field is immutable when `immutable` is set';

/** How many bytes a base64 text stands for. */
export function base64Bytes(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return Math.floor(text.length / 4) * 3 - padding;
}

export function validateImmutable<T extends { immutable?: boolean }>(object: T, old: T, fields: (keyof T & string)[]): FieldError[] {
  if (!old.immutable) return [];
  const errors = object.immutable ? [] : [notAllowed('immutable', IMMUTABLE)];
  for (const field of fields) if (!isDeepStrictEqual(object[field] ?? {}, old[field] ?? {})) errors.push(notAllowed(field, IMMUTABLE));
  return errors;
}
