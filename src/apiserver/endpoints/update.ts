// Update: a new state for an object, at the resourceVersion that it was derived from, of the whole object or of one of its subresources.
import type { KubeObject } from '#api/meta/object.ts';
import { copyOf } from '#api/meta/object.ts';
import { badRequest, conflict, invalid, modifiedConflict, notFound } from '#api/meta/errors.ts';
import type { FieldError } from '#api/meta/field-errors.ts';
import { invalidValue } from '#api/meta/field-errors.ts';
import { keepSystemMeta, validateObjectMetaUpdate } from '#api/meta/meta-validation.ts';
import type { AdmissionRequest } from '../admission/plugin.ts';
import type { Entry } from '../cache/entry.ts';
import type { RequestContext } from '../request.ts';
import type { Core } from '../registry/core.ts';
import { sameMembers, sameValue } from '#api/meta/same-value.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { Change, Outcome } from '../registry/write.ts';
import { storedForm } from '../registry/versions.ts';
import { modify } from '../registry/write.ts';
import { addWarnings, createObject, refuseInvalid, takeNamespace, validateMetadata } from './create.ts';
import type { Finish } from './hooks.ts';
import { nothingToFinish } from './hooks.ts';
import { noteManager } from './field-managers.ts';
import { takeSubresource, writesWholeObject } from './update-subresource.ts';
import { isFullyReleased } from './deletion.ts';

export interface UpdateRequest {
  context: RequestContext;
  namespace: string;
  name: string;
  /** Empty: the object itself. */
  subresource: string;
  dryRun: boolean;
  /** The new state, owned by the request, derived from the current one; asked again when the object changed meanwhile. */
  desired: (current: KubeObject) => KubeObject | Promise<KubeObject>;
  /** The new state where nothing exists yet; undefined: the request cannot create. */
  initial?: () => KubeObject;
  /** By an apply: the desired state has its managed fields, and may be the first one. */
  applies?: boolean;
  /** Decides whether the caller may create, too; throws if not. */
  authorizeCreate?: () => void;
}

/** The outcome is in the storage version; `desired` and `initial` answer in the version of `served`. */
export async function updateObject(core: Core, served: ServedResource, request: UpdateRequest): Promise<Outcome> {
  const resource = served.storage;
  const { name, namespace, context } = request;
  const key = resource.keyOf(namespace, name);
  if (canCreate(core, resource, request, key)) {
    request.authorizeCreate?.();
    const object = storedForm(served, request.initial!());
    if (request.applies !== true) delete object.metadata.resourceVersion;
    checkIdentity(resource, object, request);
    return await createObject(core, resource, { context, namespace, object, dryRun: request.dryRun, applies: request.applies ?? false });
  }
  let finish: Finish = nothingToFinish;
  let committed = false;
  const target = { resource, key, name, dryRun: request.dryRun };
  const change = async (current: Entry | undefined): Promise<Change> => {
    finish(false);
    finish = nothingToFinish;
    if (current === undefined) throw notFound(resource.type, name);
    const object = storedForm(served, await request.desired(current.object));
    checkIdentity(resource, object, request);
    checkVersion(resource, object, current, request);
    const old = current.object;
    object.metadata.resourceVersion = old.metadata.resourceVersion!;
    keepSystemMeta(object.metadata, old.metadata);
    const taken = takeSubresource(request.subresource, object, old, core.clock.now());
    // What a subresource leaves alone is shared with the old object, which has its defaults.
    if (writesWholeObject(request.subresource)) resource.rules.setDefaults?.(taken);
    if (request.applies !== true) noteManager(core, resource, { context, subresource: request.subresource, object: taken, old });
    const admission = admissionFor(resource, request, taken, old);
    await core.admission.mutate(admission);
    prepare(core, resource, request, taken, old);
    if (request.subresource === '') finish = core.hooks.get(resource.prefix)?.beginUpdate?.(taken, old, request.dryRun) ?? nothingToFinish;
    refuseInvalid(resource, taken, validate(resource, request, taken, old));
    addWarnings(context, resource.rules.warnings?.(taken, old));
    await core.admission.validate(admission);
    return isFullyReleased(resource, taken) ? { remove: true } : { put: taken };
  };
  try {
    const outcome = await modify(core, target, change);
    committed = !request.dryRun;
    if (outcome.removed && committed) core.hooks.get(resource.prefix)?.afterDelete?.(outcome.entry.object);
    return outcome;
  } finally {
    finish(committed);
  }
}

function canCreate(core: Core, resource: ServedResource, request: UpdateRequest, key: string): boolean {
  if (request.subresource !== '' || request.initial === undefined) return false;
  if (request.applies !== true && !resource.strategy.allowCreateOnUpdate) return false;
  return core.world.cache(resource.prefix).get(key) === undefined;
}

function checkIdentity(resource: ServedResource, object: KubeObject, request: UpdateRequest): void {
  const { metadata } = object;
  metadata.name ||= request.name;
  if (metadata.name !== request.name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${request.name})`);
  }
  takeNamespace(resource, object, request.namespace);
}

function checkVersion(resource: ServedResource, object: KubeObject, current: Entry, request: UpdateRequest): void {
  const { metadata } = object;
  const { uid } = current.object.metadata;
  if (metadata.uid && metadata.uid !== uid) {
    const detail = `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${uid}`;
    const key = resource.keyOf(request.namespace, request.name);
    throw conflict(
      resource.type,
      request.name,
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${detail}`,
    );
  }
  if (!metadata.resourceVersion || metadata.resourceVersion === '0') {
    if (resource.strategy.allowUnconditionalUpdate) return;
    throw invalid(resource.type, request.name, [invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')]);
  }
  if (metadata.resourceVersion !== current.object.metadata.resourceVersion) throw modifiedConflict(resource.type, request.name);
}

function prepare(core: Core, resource: ServedResource, request: UpdateRequest, object: KubeObject, old: KubeObject): void {
  const context = { now: core.clock.now(), user: request.context.user };
  if (request.subresource === 'status') resource.rules.status?.prepareForUpdate?.(object, old, context);
  else if (writesWholeObject(request.subresource)) resource.rules.prepareForUpdate?.(object, old, context);
  if (isNewGeneration(resource, object, old)) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

function validate(resource: ServedResource, request: UpdateRequest, object: KubeObject, old: KubeObject): FieldError[] {
  const errors = [...validateMetadata(resource, object), ...validateObjectMetaUpdate(object.metadata, old.metadata)];
  const isStatus = request.subresource === 'status' || request.subresource === 'approval';
  if (isStatus) return [...errors, ...(resource.rules.status?.validateUpdate?.(object, old) ?? [])];
  if (!writesWholeObject(request.subresource)) return errors;
  return [...errors, ...(resource.rules.validate?.(object) ?? []), ...(resource.rules.validateUpdate?.(object, old) ?? [])];
}

/** Generation counts the changes of what a client wants, which the table says for each resource. */
function isNewGeneration(resource: ServedResource, object: KubeObject, old: KubeObject): boolean {
  const now = object as unknown as Record<string, unknown>;
  const before = old as unknown as Record<string, unknown>;
  switch (resource.strategy.generationBump) {
    case 'spec':
      return !sameValue(now.spec, before.spec);
    case 'notMetadataOrLabels':
      return !sameMembers(now, before, ['metadata', 'kind', 'apiVersion']) || !sameValue(object.metadata.labels, old.metadata.labels);
    case 'never':
      return false;
  }
}

function admissionFor(resource: ServedResource, request: UpdateRequest, object: KubeObject, old: KubeObject): AdmissionRequest {
  return {
    operation: 'UPDATE',
    resource,
    subresource: request.subresource,
    namespace: request.namespace,
    name: request.name,
    object,
    old,
    user: request.context.user,
    dryRun: request.dryRun,
  };
}

/** A desired state that was given whole: each attempt starts from its own copy. */
export function givenState(object: KubeObject): Pick<UpdateRequest, 'desired' | 'initial'> {
  return { desired: () => copyOf(object), initial: () => copyOf(object) };
}
