// The decisions of a delete, without the writing: finalizers that garbage collection needs, grace, and when an object may go.
import type { KubeObject } from '#api/meta/object.ts';
import { conflict, invalid } from '#api/meta/errors.ts';
import type { FieldError } from '#api/meta/field-errors.ts';
import { invalidValue, notSupported } from '#api/meta/field-errors.ts';
import type { Namespace } from '#api/generated/core-v1.ts';
import { toTime } from '#lib/clock.ts';
import type { ServedResource } from '../registry/served-resource.ts';

/** meta/v1 DeleteOptions, as decoded. */
export interface DeleteOptionsBody {
  propagationPolicy?: string;
  orphanDependents?: boolean;
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: string[];
}

export type Deletion =
  | { kind: 'remove' }
  /** The object stays, marked. */
  | { kind: 'mark'; object: KubeObject }
  /** The deletion is under way already and the request does not shorten it. */
  | { kind: 'pending' };

const orphan = 'orphan';
const foreground = 'foregroundDeletion';
const policies = ['Foreground', 'Background', 'Orphan', 'nil'];

export function checkDeleteOptions(options: DeleteOptionsBody): void {
  const errors: FieldError[] = [];
  if (options.orphanDependents !== undefined && options.propagationPolicy !== undefined) {
    errors.push(
      invalidValue('propagationPolicy', options.propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'),
    );
  }
  if (options.propagationPolicy !== undefined && !policies.slice(0, 3).includes(options.propagationPolicy)) {
    errors.push(notSupported('propagationPolicy', options.propagationPolicy, policies));
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
}

export function checkPreconditions(resource: ServedResource, object: KubeObject, options: DeleteOptionsBody): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { metadata } = object;
  if (uid !== undefined && uid !== metadata.uid) {
    const detail = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(resource.type, metadata.name!, detail);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const detail = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(resource.type, metadata.name!, detail);
  }
}

/** What a delete does to the object now. */
export function decideDeletion(resource: ServedResource, object: KubeObject, options: DeleteOptionsBody, nowMs: number): Deletion {
  if (resource.type.group === '' && resource.type.plural === 'namespaces') return decideNamespaceDeletion(object, nowMs);
  const { metadata } = object;
  const finalizers = finalizersFor(resource, object, options);
  const graceful = gracefulDeletion(resource, object, options, nowMs);
  if (graceful === 'pending') return { kind: 'pending' };
  if (graceful !== undefined) {
    if (graceful.deletionGracePeriodSeconds === 0 && finalizers.length === 0) return { kind: 'remove' };
    return { kind: 'mark', object: { ...object, metadata: withFinalizers({ ...metadata, ...graceful }, finalizers) } };
  }
  if (finalizers.length === 0) return { kind: 'remove' };
  return { kind: 'mark', object: markedNow(object, finalizers, nowMs) };
}

/** Nothing holds the object back any more: the update that let go last removes it. */
export function isFullyReleased(resource: ServedResource, object: KubeObject): boolean {
  const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = object.metadata;
  if (deletionTimestamp === undefined || (finalizers?.length ?? 0) > 0 || (deletionGracePeriodSeconds ?? 0) > 0) return false;
  if (resource.type.group !== '' || resource.type.plural !== 'namespaces') return true;
  return ((object as unknown as Namespace).spec?.finalizers?.length ?? 0) === 0;
}

/** Namespaces are marked and wait for their own finalizers, which the namespace controller takes off. */
function decideNamespaceDeletion(object: KubeObject, nowMs: number): Deletion {
  const namespace = object as unknown as Namespace;
  const held = (namespace.spec?.finalizers?.length ?? 0) > 0 || (namespace.metadata.finalizers?.length ?? 0) > 0;
  if (namespace.metadata.deletionTimestamp !== undefined) return held ? { kind: 'pending' } : { kind: 'remove' };
  if (!held) return { kind: 'remove' };
  const marked: Namespace = {
    ...namespace,
    metadata: { ...namespace.metadata, deletionTimestamp: toTime(nowMs) },
    status: { ...namespace.status, phase: 'Terminating' },
  };
  return { kind: 'mark', object: marked as unknown as KubeObject };
}

/** The finalizers that the object has once the options' propagation policy is written into them. */
function finalizersFor(resource: ServedResource, object: KubeObject, options: DeleteOptionsBody): string[] {
  const present = object.metadata.finalizers ?? [];
  const wanted = propagationOf(resource, present, options);
  const others = present.filter((finalizer) => finalizer !== orphan && finalizer !== foreground);
  if (wanted === 'Orphan') return [...others, orphan];
  return wanted === 'Foreground' ? [...others, foreground] : others;
}

/** An explicit policy wins over finalizers, which win over the kind's default. */
function propagationOf(resource: ServedResource, finalizers: readonly string[], options: DeleteOptionsBody): string {
  const fallback = resource.strategy.defaultDeletePropagation;
  if (fallback === 'Unsupported') return 'Background';
  if (options.orphanDependents !== undefined) return options.orphanDependents ? 'Orphan' : 'Background';
  if (options.propagationPolicy !== undefined) return options.propagationPolicy;
  const decisive = finalizers.find((finalizer) => finalizer === orphan || finalizer === foreground);
  if (decisive !== undefined) return decisive === orphan ? 'Orphan' : 'Foreground';
  return fallback;
}

interface Grace {
  deletionTimestamp: string;
  deletionGracePeriodSeconds: number;
  generation?: number;
}

/** Undefined: the kind, or this object, knows no grace. */
function gracefulDeletion(
  resource: ServedResource,
  object: KubeObject,
  options: DeleteOptionsBody,
  nowMs: number,
): Grace | 'pending' | undefined {
  const { metadata } = object;
  const seconds = resource.rules.gracePeriodSeconds?.(object, options.gracePeriodSeconds);
  if (seconds === undefined) return undefined;
  if (metadata.deletionTimestamp === undefined) {
    return {
      deletionTimestamp: toTime(nowMs + seconds * 1000),
      deletionGracePeriodSeconds: seconds,
      ...(metadata.generation !== undefined && { generation: metadata.generation + 1 }),
    };
  }
  const granted = metadata.deletionGracePeriodSeconds;
  if (granted === undefined) return undefined;
  // A deletion under way can only be made shorter.
  if (options.gracePeriodSeconds === undefined || options.gracePeriodSeconds >= granted) return 'pending';
  const askedAtMs = Date.parse(metadata.deletionTimestamp) - granted * 1000;
  return {
    deletionTimestamp: toTime(askedAtMs + options.gracePeriodSeconds * 1000),
    deletionGracePeriodSeconds: options.gracePeriodSeconds,
  };
}

function markedNow(object: KubeObject, finalizers: string[], nowMs: number): KubeObject {
  const { metadata } = object;
  const isFirst = metadata.deletionTimestamp === undefined;
  const marked = {
    ...metadata,
    ...(isFirst && metadata.generation !== undefined && { generation: metadata.generation + 1 }),
    deletionTimestamp: metadata.deletionTimestamp ?? toTime(nowMs),
    deletionGracePeriodSeconds: 0,
  };
  return { ...object, metadata: withFinalizers(marked, finalizers) };
}

function withFinalizers(metadata: KubeObject['metadata'], finalizers: string[]): KubeObject['metadata'] {
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  return metadata;
}
