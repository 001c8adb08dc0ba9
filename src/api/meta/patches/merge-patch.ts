// JSON merge patch (RFC 7396): null removes, objects merge, everything else replaces.
import { copyOf } from '../object.ts';
import type { JsonObject } from './json-object.ts';
import { isJsonObject, setProperty } from './json-object.ts';

/** A new object; what the patch does not touch is shared with `original`. */
export function mergePatch(original: unknown, patch: JsonObject): JsonObject {
  const result: JsonObject = isJsonObject(original) ? { ...original } : {};
  for (const name of Object.keys(patch)) {
    const value = patch[name];
    if (value === null) delete result[name];
    else
      setProperty(
        result,
        name,
        isJsonObject(value) ? mergePatch(Object.hasOwn(result, name) ? result[name] : undefined, value) : copyOf(value),
      );
  }
  return result;
}
