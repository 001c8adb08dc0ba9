// Applies one patch to one object, by the patch's media type.
import { notImplemented } from '#api/meta/errors.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { PatchRequest } from './patch.ts';

/** Answers a new value; `current` and the patch are only read. */
export function applyPatch(_resource: ServedResource, request: PatchRequest, current: KubeObject): unknown {
  if (request.type === 'merge') return mergePatch(current, request.patch);
  throw notImplemented(`patches of type ${request.type}`);
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
