// File paths in pod specs: none may leave the place it starts from.
import { type FieldError, invalidValue, required } from '#api/meta/field-errors.ts';

/** A relative path that only goes down. */
export function descendingPathErrors(path: string, field: string): FieldError[] {
  const errors = path.startsWith('/') ? [invalidValue(field, path, 'must be a relative path')] : [];
  return [...errors, ...noBackstepErrors(path, field)];
}

/** As above, and not into what the kubelet keeps for itself. */
export function fileNameErrors(path: string, field: string): FieldError[] {
  if (path === '') return [required(field)];
  const errors = descendingPathErrors(path, field);
  // Entries such as `..data` are the kubelet's own.
  if (path.startsWith('..') && !path.startsWith('../')) errors.push(invalidValue(field, path, "must not start with '..'"));
  return errors;
}

export function noBackstepErrors(path: string, field: string): FieldError[] {
  return path.split('/').includes('..') ? [invalidValue(field, path, "must not contain '..'")] : [];
}
