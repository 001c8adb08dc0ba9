// Patch: a change to whatever the object is, tried again on top of the latest state when someone was faster.
import { decodeValue } from '#api/meta/decode.ts';
import { isConflict } from '#api/meta/errors.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { PatchType } from '#client/client.ts';
import type { RequestContext } from '../request.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { objectIn } from '../registry/versions.ts';
import type { Outcome } from '../registry/write.ts';
import { scaleOf, withScale } from '../subresources/scale.ts';
import { addWarnings } from './create.ts';
import { applyPatch } from './apply-patch.ts';
import { messageForKind } from '#api/schema.ts';
import { patchRefusal } from './patch-refusal.ts';
import { updateObject } from './update.ts';

export interface PatchRequest {
  context: RequestContext;
  namespace: string;
  name: string;
  subresource: string;
  dryRun: boolean;
  type: Exclude<PatchType, 'apply'>;
  /** Parsed; only read. */
  patch: unknown;
  /** Keys that the patch holds twice. */
  duplicates?: readonly string[];
  fieldValidation: 'Ignore' | 'Warn' | 'Strict';
}

/** As often as upstream tries before it passes a conflict on. */
const maxConflicts = 5;

export async function patchObject(core: Core, resource: ServedResource, request: PatchRequest): Promise<Outcome> {
  const { context, namespace, name, subresource, dryRun } = request;
  const desired = (current: KubeObject): KubeObject => {
    const isScale = subresource === 'scale';
    const patched = patch(resource, request, isScale ? (scaleOf(current) as unknown as KubeObject) : objectIn(resource, current));
    return isScale ? withScale(current, patched) : patched;
  };
  for (let attempt = 1; ; attempt++) {
    try {
      return await updateObject(core, resource, { context, namespace, name, subresource, dryRun, desired });
    } catch (error) {
      // A patch that names a resourceVersion means that very version.
      if (!isConflict(error) || attempt === maxConflicts || namesVersion(request)) throw error;
    }
  }
}

function patch(resource: ServedResource, request: PatchRequest, current: KubeObject): KubeObject {
  const expected =
    request.subresource === 'scale'
      ? { apiVersion: 'autoscaling/v1', kind: 'Scale' }
      : { apiVersion: resource.apiVersion, kind: resource.type.kind };
  const patched = applyPatch(request.type, request.patch, current, messageForKind(expected.apiVersion, expected.kind)!);
  const { fieldValidation, duplicates } = request;
  const refuse = patchRefusal(request.type, request.patch, patched);
  const { object, warnings } = decodeValue(patched, { ...expected, fieldValidation, refuse }, duplicates);
  addWarnings(request.context, warnings);
  return object;
}

function namesVersion({ patch: body, type }: PatchRequest): boolean {
  if (type === 'json')
    return Array.isArray(body) && body.some((operation: { path?: string }) => operation?.path === '/metadata/resourceVersion');
  return (body as { metadata?: { resourceVersion?: unknown } } | null)?.metadata?.resourceVersion !== undefined;
}
