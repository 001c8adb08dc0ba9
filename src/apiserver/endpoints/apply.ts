// Server-side apply: creates or changes an object so that it is as its configuration says, and leaves to others what they own.
import { decodeValue } from '#api/meta/decode.ts';
import type { ApiError } from '#api/meta/errors.ts';
import { badRequest, conflict, failure, isAlreadyExists, isConflict, isNotFound } from '#api/meta/errors.ts';
import { applyConfig, lastAppliedAfter } from '#api/meta/managed-fields/apply.ts';
import { configErrors } from '#api/meta/managed-fields/check-config.ts';
import { applyConflict } from '#api/meta/managed-fields/conflict-error.ts';
import { shapeOf } from '#api/meta/managed-fields/shape.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { messageForKind } from '#api/schema.ts';
import { toTime } from '#lib/clock.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { objectIn } from '../registry/versions.ts';
import type { Outcome } from '../registry/write.ts';
import type { RequestContext } from '../request.ts';
import { withScale } from '../subresources/scale.ts';
import type { Complaint } from './apply-config.ts';
import { addWarnings } from './create.ts';
import { fieldManagerOf, setEntries } from './field-managers.ts';
import { updateObject } from './update.ts';

export interface ApplyRequest {
  context: RequestContext;
  namespace: string;
  name: string;
  subresource: string;
  dryRun: boolean;
  /** As parsed; only read. */
  config: KubeObject;
  complaint?: Complaint | undefined;
  force: boolean;
  authorizeCreate: () => void;
}

/** As often as upstream tries before it passes a conflict on. */
const maxConflicts = 5;

export async function applyObject(core: Core, resource: ServedResource, request: ApplyRequest): Promise<Outcome> {
  const { context, namespace, name, subresource, dryRun, authorizeCreate } = request;
  const { apiVersion, kind } = subresource === 'scale' ? scaleKind : { apiVersion: resource.apiVersion, kind: resource.type.kind };
  checkConfig(apiVersion, kind, request);
  const desired = (live: KubeObject) => applied(core, resource, request, objectIn(resource, live));
  const initial = () => created(resource, request, applied(core, resource, request, undefined));
  for (let attempt = 1; ; attempt++) {
    try {
      const target = { context, namespace, name, subresource, dryRun };
      const outcome = await updateObject(core, resource, { ...target, desired, initial, authorizeCreate, applies: true });
      if (request.complaint !== undefined) addWarnings(context, [request.complaint.text.replaceAll(/\s*\n\s*/g, ' ')]);
      return outcome;
    } catch (error) {
      if (attempt === maxConflicts || !isRace(error, request)) throw error;
    }
  }
}

const scaleKind = { apiVersion: 'autoscaling/v1', kind: 'Scale' };

/** Someone else was faster, and the next attempt sees what they wrote. */
function isRace(error: unknown, { config, subresource }: ApplyRequest): boolean {
  if (isAlreadyExists(error) || (isNotFound(error) && subresource === '')) return true;
  const isApplyConflict = isConflict(error) && (error as ApiError).status.details?.causes !== undefined;
  return isConflict(error) && !isApplyConflict && config.metadata.resourceVersion === undefined && config.metadata.uid === undefined;
}

function checkConfig(apiVersion: string, kind: string, { config, name }: ApplyRequest): void {
  if (config.apiVersion !== apiVersion || config.kind !== kind) {
    throw badRequest(`invalid object type: ${groupVersionKind(config)}`);
  }
  if (config.metadata?.managedFields !== undefined && config.metadata.managedFields !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const message = messageForKind(apiVersion, kind);
  const errors = message === undefined ? [] : configErrors(message, config);
  if (errors.length === 0) {
    config.metadata ??= { name };
    return;
  }
  const text = errors.length === 1 ? errors[0]! : ['errors:', ...errors.map((error) => `  ${error}`)].join('\n');
  throw failure(500, '', `failed to create typed patch object (${described(config)}): ${text}`);
}

function applied(core: Core, resource: ServedResource, request: ApplyRequest, live: KubeObject | undefined): KubeObject {
  const message = messageForKind(resource.apiVersion, resource.type.kind);
  const apply = {
    shape: shapeOf(message),
    owned: resource.ownedShape(request.subresource),
    live,
    config: request.subresource === 'scale' ? scaledConfig(resource, request.config) : request.config,
    manager: fieldManagerOf(request.context),
    apiVersion: resource.apiVersion,
    subresource: request.subresource,
    force: request.force,
    time: toTime(core.clock.now()),
  };
  const result = applyConfig(apply);
  if ('conflicts' in result) throw applyConflict(result.conflicts);
  // Upstream looks for these only in what could be applied.
  if (request.complaint?.isFatal === true) throw badRequest(`error strict decoding YAML: ${request.complaint.text}`);
  const { kind } = resource.type;
  const refuse = (detail: string) => failure(500, '', notConverted(request.config, detail));
  const merged = { ...result.object, metadata: { ...result.object.metadata } };
  delete merged.metadata.managedFields;
  const { object } = decodeValue(merged, { apiVersion: resource.apiVersion, kind, fieldValidation: 'Ignore', refuse });
  const annotations = lastAppliedAfter(apply, object);
  if (annotations !== undefined) object.metadata.annotations = annotations;
  setEntries(object, result.entries);
  return request.subresource === 'scale' ? checkedScale(object) : object;
}

function created(resource: ServedResource, { name }: ApplyRequest, object: KubeObject): KubeObject {
  const { uid } = object.metadata;
  if (!uid) return object;
  throw conflict(resource.type, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
}

/** What a Scale says, said of the object that it scales. */
function scaledConfig({ apiVersion, type }: ServedResource, scale: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = scale.metadata;
  const { replicas } = (scale as { spec?: { replicas?: number } }).spec ?? {};
  const metadata = { name: name!, ...(namespace && { namespace }), ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
  return { apiVersion, kind: type.kind, metadata, ...(replicas !== undefined && { spec: { replicas } }) } as KubeObject;
}

function checkedScale(object: KubeObject): KubeObject {
  const { replicas = 0 } = (object as { spec?: { replicas?: number } }).spec ?? {};
  // For its refusal of what no scale can be.
  withScale(object, { metadata: object.metadata, spec: { replicas } } as KubeObject);
  return object;
}

function notConverted(config: KubeObject, detail: string): string {
  const kind = groupVersionKind(config);
  return `failed to convert new object (${described(config)}) to proper version: unable to convert unstructured object to ${kind}: ${detail}`;
}

/** `default/web; apps/v1, Kind=Deployment` */
function described(config: KubeObject): string {
  const { namespace = '', name = '' } = config.metadata ?? {};
  return `${namespace}/${name}; ${groupVersionKind(config)}`;
}

function groupVersionKind({ apiVersion = '', kind = '' }: KubeObject): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}
