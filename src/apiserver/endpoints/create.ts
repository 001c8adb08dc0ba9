// Create: defaults, admission, the server's own fields, validation, and one commit on the condition that the name is free.
import type { KubeObject } from '#api/meta/object.ts';
import { toTime } from '#lib/clock.ts';
import { alreadyExists, badRequest, failure, invalid } from '#api/meta/errors.ts';
import type { FieldError } from '#api/meta/field-errors.ts';
import { required } from '#api/meta/field-errors.ts';
import { validateObjectMeta } from '#api/meta/meta-validation.ts';
import { dnsSubdomainName } from '#api/meta/names.ts';
import type { RequestContext } from '../request.ts';
import { noteManager } from './field-managers.ts';
import type { AdmissionRequest } from '../admission/plugin.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { Outcome } from '../registry/write.ts';
import { storedForm } from '../registry/versions.ts';
import { modify } from '../registry/write.ts';
import { nothingToFinish } from './hooks.ts';

export interface CreateRequest {
  context: RequestContext;
  /** Empty for cluster-scoped resources. */
  namespace: string;
  /** Decoded; owned by the request from here on. */
  object: KubeObject;
  dryRun: boolean;
  /** By an apply: the object has its managed fields. */
  applies?: boolean;
}

const generatedSuffixLength = 5;
const maxGeneratedBase = 63 - generatedSuffixLength;
const maxGenerateAttempts = 8;

/** The outcome is in the storage version, whatever version the request is in. */
export async function createObject(core: Core, served: ServedResource, given: CreateRequest): Promise<Outcome> {
  const resource = served.storage;
  const object = storedForm(served, given.object);
  const request = { ...given, object };
  takeNamespace(resource, object, request.namespace);
  if (object.metadata.resourceVersion) throw failure(500, '', 'resourceVersion should not be set on objects to be created');
  resource.rules.setDefaults?.(object);
  if (request.applies !== true) noteManager(core, resource, { context: request.context, subresource: '', object, old: undefined });
  const admission: AdmissionRequest = {
    operation: 'CREATE',
    resource,
    subresource: '',
    namespace: request.namespace,
    name: object.metadata.name ?? '',
    object,
    old: undefined,
    user: request.context.user,
    dryRun: request.dryRun,
  };
  await core.admission.mutate(admission);
  const generated = !object.metadata.name && !!object.metadata.generateName;
  for (let attempt = 1; ; attempt++) {
    if (generated) generateName(core, resource, object);
    try {
      return await createNamed(core, resource, request, admission);
    } catch (error) {
      if (!(generated && attempt < maxGenerateAttempts && isTaken(error))) throw error;
    }
  }
}

async function createNamed(core: Core, resource: ServedResource, request: CreateRequest, admission: AdmissionRequest): Promise<Outcome> {
  const { object } = request;
  fillSystemFields(core, resource, object);
  resource.rules.prepareForCreate?.(object, { now: core.clock.now(), user: request.context.user });
  const finish = core.hooks.get(resource.prefix)?.beginCreate?.(object, request.dryRun) ?? nothingToFinish;
  let committed = false;
  try {
    refuseInvalid(resource, object, [...validateMetadata(resource, object), ...(resource.rules.validate?.(object) ?? [])]);
    addWarnings(request.context, resource.rules.warnings?.(object));
    admission.name = object.metadata.name!;
    await core.admission.validate(admission);
    const name = object.metadata.name!;
    const target = { resource, key: resource.keyOf(request.namespace, name), name, dryRun: request.dryRun };
    const outcome = await modify(core, target, (current) => {
      if (current !== undefined) throw alreadyExists(resource.type, name);
      return { put: object };
    });
    committed = !request.dryRun;
    return outcome;
  } finally {
    finish(committed);
  }
}

/** The object's namespace is the request's: unset it is filled in, another one is refused. */
export function takeNamespace(resource: ServedResource, object: KubeObject, namespace: string): void {
  const { metadata } = object;
  if (!resource.type.namespaced) {
    if (metadata.namespace) throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    delete metadata.namespace;
    return;
  }
  if (namespace === '') throw badRequest('an empty namespace may not be set during creation');
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  metadata.namespace = namespace;
}

export function refuseInvalid(resource: ServedResource, object: KubeObject, errors: FieldError[]): void {
  if (errors.length > 0) throw invalid(resource.type, object.metadata.name ?? '', errors);
}

export function validateMetadata(resource: ServedResource, object: KubeObject): FieldError[] {
  const { metadata } = object;
  // Upstream names both ways to a name in one message.
  if (!metadata.name && !metadata.generateName) return [required('metadata.name', 'name or generateName is required')];
  return validateObjectMeta(metadata, {
    namespaced: resource.type.namespaced,
    checkName: resource.rules.validateName ?? dnsSubdomainName,
  });
}

export function addWarnings(context: RequestContext, texts: string[] | undefined): void {
  if (texts === undefined) return;
  for (const text of texts.slice(0, maxWarnings - context.warnings.length)) context.warnings.push(text);
}

/** Far more than a header takes. */
const maxWarnings = 1000;

function fillSystemFields(core: Core, resource: ServedResource, object: KubeObject): void {
  const { metadata } = object;
  metadata.uid = core.random.uuid();
  metadata.creationTimestamp = toTime(core.clock.now());
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  if (resource.strategy.generationOnCreate) metadata.generation = 1;
  else delete metadata.generation;
}

function generateName(core: Core, resource: ServedResource, object: KubeObject): void {
  object.metadata.name = object.metadata.generateName!.slice(0, maxGeneratedBase) + core.random.suffix(generatedSuffixLength);
  // A namespace carries its name in a label.
  if (!resource.type.namespaced) resource.rules.setDefaults?.(object);
}

function isTaken(error: unknown): boolean {
  return (error as { reason?: string }).reason === 'AlreadyExists';
}
