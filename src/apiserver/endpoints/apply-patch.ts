// Applies one patch to one object, by the patch's media type.
import { unsupportedMediaType } from '#api/meta/errors.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { JsonObject } from '#api/meta/patches/json-object.ts';
import { jsonPatch } from '#api/meta/patches/json-patch.ts';
import { mergePatch } from '#api/meta/patches/merge-patch.ts';
import { parseJsonPatch, parseObjectPatch } from '#api/meta/patches/patch-body.ts';
import { strategicMergePatch } from '#api/meta/patches/strategic-merge-patch.ts';
import type { Message } from '#api/schema.ts';
import type { PatchType } from '#client/client.ts';

const patchMediaTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** Throws 415 for a type of patch that this server does not know. */
export function patchTypeOf(contentType: string): PatchType {
  const type = patchMediaTypes[contentType.split(';', 1)[0]!.trim().toLowerCase()];
  if (type === undefined) throw unsupportedMediaType(Object.keys(patchMediaTypes));
  return type;
}

export function parsePatch(body: Uint8Array, type: Exclude<PatchType, 'apply'>): { patch: unknown; duplicates: string[] } {
  return type === 'json' ? parseJsonPatch(body) : parseObjectPatch(body);
}

/** Answers a new value; `current` and the patch are only read. */
export function applyPatch(type: Exclude<PatchType, 'apply'>, patch: unknown, current: KubeObject, message: Message): unknown {
  const original = current as unknown as JsonObject;
  switch (type) {
    case 'json':
      return jsonPatch(original, patch as unknown[]);
    case 'merge':
      return mergePatch(original, patch as JsonObject);
    case 'strategic':
      return strategicMergePatch(original, patch as JsonObject, message);
  }
}
