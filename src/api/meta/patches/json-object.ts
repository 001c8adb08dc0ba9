// What the patches share: JSON objects, their copies, and the 422 of a patch that does not fit.
import type { ApiError } from '../errors.ts';
import { failure } from '../errors.ts';

export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets a property whatever its name: assigning `__proto__` would change the prototype instead. */
export function setProperty(object: JsonObject, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  else object[name] = value;
}

/** Upstream keeps the reason to itself here; it is the cause for our logs. */
export function doesNotApply(cause: Error): ApiError {
  return failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {}, { cause });
}
