// The bytes of a patch → its parsed form, refused where it is not one.
import { badRequest } from '../errors.ts';
import { duplicateKeys, jsonSyntaxError, maxDepth, scanJson, tooDeep } from '../json-scan.ts';
import type { JsonObject } from './json-object.ts';
import { isJsonObject } from './json-object.ts';

export interface PatchBody<T> {
  patch: T;
  /** `duplicate field "…"`, for the Warning header or, under Strict, for a refusal. */
  duplicates: string[];
}

/** Of a merge patch or a strategic merge patch: always an object. */
export function parseObjectPatch(body: Uint8Array): PatchBody<JsonObject> {
  const { patch, duplicates } = parse(body);
  if (!isJsonObject(patch))
    throw badRequest(`error decoding patch: json: cannot unmarshal ${typeName(patch)} into Go value of type map[string]interface {}`);
  return { patch, duplicates };
}

/** Of a JSON patch: always a list. */
export function parseJsonPatch(body: Uint8Array): PatchBody<unknown[]> {
  const { patch, duplicates } = parse(body);
  if (!Array.isArray(patch)) throw badRequest(`json: cannot unmarshal ${typeName(patch)} into Go value of type jsonpatch.Patch`);
  return { patch, duplicates };
}

function parse(body: Uint8Array): PatchBody<unknown> {
  const text = new TextDecoder().decode(body);
  let patch: unknown;
  try {
    patch = JSON.parse(text);
  } catch {
    throw badRequest(`error decoding patch: ${jsonSyntaxError(text)}`);
  }
  const { pairs, depth } = scanJson(text);
  if (depth > maxDepth) throw badRequest(`error decoding patch: ${tooDeep}`);
  // Fewer keys than pairs: some key occurs twice.
  const duplicates = pairs === countKeys(patch) ? [] : duplicateKeys(text);
  return { patch, duplicates: duplicates.map((path) => `duplicate field "${path}"`) };
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const items = Object.values(value);
  return items.reduce<number>((sum, item) => sum + countKeys(item), Array.isArray(value) ? 0 : items.length);
}

/** Go's word for what JSON holds. */
export function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}
