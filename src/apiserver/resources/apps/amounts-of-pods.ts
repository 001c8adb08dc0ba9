// Amounts of pods in update strategies: a count, or a percentage of all.
import { type FieldError, invalidValue } from '#api/meta/field-errors.ts';
import { isValidPercent } from '#api/meta/int-or-string.ts';
import { nonNegative } from '../numbers.ts';

export function validateAmount(amount: number | string, path: string): FieldError[] {
  if (typeof amount === 'number') return nonNegative(amount, path);
  return isValidPercent(amount).map((message) => invalidValue(path, amount, message));
}

export function validateAtMostAll(amount: number | string, path: string): FieldError[] {
  if (typeof amount === 'number' || !(Number.parseInt(amount) > 100)) return [];
  return [invalidValue(path, amount, 'must not be greater than 100%')];
}

export const isNothing = (amount: number | string): boolean =>
  amount === 0 || (typeof amount === 'string' && Number.parseInt(amount) === 0);
