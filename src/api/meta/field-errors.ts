// What validation finds: one error a field, in upstream's words, collected and answered together as a 422.
import type { StatusCause } from './errors.ts';

export interface FieldError extends StatusCause {
  reason: string;
  field: string;
  /** Without the field path. */
  message: string;
}

/** A path such as `spec.containers[0].name`; child paths are made with the functions below. */
export type FieldPath = string;

/** Made for every field of every write, valid or not: no arrays on the way. */
export function child(path: FieldPath, ...names: string[]): FieldPath {
  let result = path;
  for (const name of names) result = result === '' ? name : `${result}.${name}`;
  return result;
}
export const index = (path: FieldPath, position: number): FieldPath => `${path}[${position}]`;
/** A map entry: `metadata.labels[app]`. */
export const key = (path: FieldPath, name: string): FieldPath => `${path}[${name}]`;

export function required(field: FieldPath, detail = ''): FieldError {
  return { reason: 'FieldValueRequired', field, message: withDetail('Required value', detail) };
}

export function invalidValue(field: FieldPath, value: unknown, detail: string): FieldError {
  return { reason: 'FieldValueInvalid', field, message: withDetail(`Invalid value: ${show(value)}`, detail) };
}

export function duplicate(field: FieldPath, value: unknown): FieldError {
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${show(value)}` };
}

export function notSupported(field: FieldPath, value: unknown, supported: readonly string[]): FieldError {
  const list = supported.map((item) => JSON.stringify(item)).join(', ');
  return {
    reason: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${show(value)}${list ? `: supported values: ${list}` : ''}`,
  };
}

export function notAllowed(field: FieldPath, detail: string): FieldError {
  return { reason: 'FieldValueForbidden', field, message: withDetail('Forbidden', detail) };
}

export function fieldNotFound(field: FieldPath, value: unknown): FieldError {
  return { reason: 'FieldValueNotFound', field, message: `Not found: ${show(value)}` };
}

export function tooLong(field: FieldPath, maxBytes: number): FieldError {
  return { reason: 'FieldValueTooLong', field, message: `Too long: may not be more than ${maxBytes} bytes` };
}

export function tooMany(field: FieldPath, actual: number, max: number): FieldError {
  return { reason: 'FieldValueTooMany', field, message: `Too many: ${actual}: must have at most ${max} item${max === 1 ? '' : 's'}` };
}

function withDetail(text: string, detail: string): string {
  return detail === '' ? text : `${text}: ${detail}`;
}

/** Values as upstream prints them: strings and objects as JSON, null for what is absent. */
function show(value: unknown): string {
  return value === undefined ? 'null' : JSON.stringify(value);
}
