// What metadata may hold at creation and how it may change after, in upstream's words.
import type { ObjectMeta, OwnerReference } from '#api/generated/meta-v1.ts';
import type { FieldError, FieldPath } from './field-errors.ts';
import { child, index, invalidValue, notAllowed, required, tooLong } from './field-errors.ts';
import type { NameCheck } from './names.ts';
import { dnsLabelName, isQualifiedName, isValidLabelValue } from './names.ts';

const maxAnnotationBytes = 256 * 1024;
const immutable = 'field is immutable';
const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion'];

export interface MetaRules {
  namespaced: boolean;
  checkName: NameCheck;
}

/** `path` is where the metadata stands: `metadata`, or `spec.template.metadata`. */
export function validateObjectMeta(meta: ObjectMeta, rules: MetaRules, path: FieldPath = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName) {
    for (const message of rules.checkName(meta.generateName, true))
      errors.push(invalidValue(child(path, 'generateName'), meta.generateName, message));
  }
  if (!meta.name) errors.push(required(child(path, 'name'), 'name or generateName is required'));
  else for (const message of rules.checkName(meta.name, false)) errors.push(invalidValue(child(path, 'name'), meta.name, message));
  errors.push(...validateNamespaceField(meta, rules.namespaced, child(path, 'namespace')));
  if ((meta.generation ?? 0) < 0) {
    errors.push(invalidValue(child(path, 'generation'), meta.generation, 'must be greater than or equal to 0'));
  }
  errors.push(...validateSharedMeta(meta, path));
  errors.push(...validateFinalizers(meta.finalizers ?? [], child(path, 'finalizers')));
  return errors;
}

/** Call `keepSystemMeta` first: clients may leave out what they do not know. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, path: FieldPath = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const added = (meta.finalizers ?? []).filter((finalizer) => !(old.finalizers ?? []).includes(finalizer)).sort();
    if (added.length > 0) {
      const list = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(', ')}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(notAllowed(child(path, 'finalizers'), detail));
    }
  }
  if (!meta.resourceVersion) {
    errors.push(invalidValue(child(path, 'resourceVersion'), meta.resourceVersion ?? '', 'must be specified for an update'));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalidValue(child(path, 'generation'), meta.generation ?? 0, 'must not be decremented'));
  }
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    errors.push(...validateImmutableField(meta[field], old[field], child(path, field)));
  }
  errors.push(...validateSharedMeta(meta, path));
  return errors;
}

/** What an update may leave out is taken from the stored object; what only the server sets is always taken from it. */
export function keepSystemMeta(meta: ObjectMeta, old: ObjectMeta): void {
  meta.uid ||= old.uid;
  meta.creationTimestamp ||= old.creationTimestamp;
  // A deletion that has begun cannot be taken back.
  if (old.deletionTimestamp !== undefined) {
    meta.deletionTimestamp = old.deletionTimestamp;
    meta.deletionGracePeriodSeconds ??= old.deletionGracePeriodSeconds;
  }
  if (old.generation === undefined) delete meta.generation;
  else meta.generation = old.generation;
  delete meta.selfLink;
}

export function validateImmutableField(value: unknown, old: unknown, path: FieldPath): FieldError[] {
  return isEqual(value, old) ? [] : [invalidValue(path, value, immutable)];
}

export function validateLabels(labels: Record<string, string> | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, value] of Object.entries(labels ?? {})) {
    errors.push(...validateLabelName(name, path));
    for (const message of isValidLabelValue(value)) errors.push(invalidValue(path, value, message));
  }
  return errors;
}

export function validateLabelName(name: string, path: FieldPath): FieldError[] {
  return isQualifiedName(name).map((message) => invalidValue(path, name, message));
}

export function validateAnnotations(annotations: Record<string, string> | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [name, value] of Object.entries(annotations ?? {})) {
    // Annotation keys may have capitals in their prefix.
    for (const message of isQualifiedName(name.toLowerCase())) errors.push(invalidValue(path, name, message));
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes > maxAnnotationBytes) errors.push(tooLong(path, maxAnnotationBytes));
  return errors;
}

function validateNamespaceField(meta: ObjectMeta, namespaced: boolean, path: FieldPath): FieldError[] {
  if (!namespaced) return meta.namespace ? [notAllowed(path, 'not allowed on this type')] : [];
  if (!meta.namespace) return [required(path)];
  return dnsLabelName(meta.namespace, false).map((message) => invalidValue(path, meta.namespace, message));
}

function validateSharedMeta(meta: ObjectMeta, path: FieldPath): FieldError[] {
  return [
    ...validateLabels(meta.labels, child(path, 'labels')),
    ...validateAnnotations(meta.annotations, child(path, 'annotations')),
    ...validateOwnerReferences(meta.ownerReferences ?? [], child(path, 'ownerReferences')),
  ];
}

function validateOwnerReferences(references: OwnerReference[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const reference of references) {
    errors.push(...validateOwnerReference(reference, path));
    if (reference.controller !== true) continue;
    if (controller !== undefined) {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${reference.name}`;
      errors.push(invalidValue(path, references, detail));
    } else controller = reference.name;
  }
  return errors;
}

function validateOwnerReference(reference: OwnerReference, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { apiVersion } = reference;
  if (apiVersion === '' || apiVersion.endsWith('/'))
    errors.push(invalidValue(child(path, 'apiVersion'), apiVersion, 'version must not be empty'));
  for (const field of ['kind', 'name', 'uid'] as const) {
    if (!reference[field]) errors.push(invalidValue(child(path, field), reference[field], 'must not be empty'));
  }
  if (apiVersion === 'v1' && reference.kind === 'Event') {
    errors.push(invalidValue(path, reference, '/v1, Kind=Event is disallowed from being an owner'));
  }
  return errors;
}

function validateFinalizers(finalizers: string[], path: FieldPath): FieldError[] {
  const errors = finalizers.flatMap((finalizer) => qualifiedName(finalizer, path));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalidValue(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return [...errors, ...finalizers.flatMap((finalizer, position) => standardOrQualified(finalizer, index(path, position)))];
}

/** A finalizer of a namespace's spec, and by the same rule of any metadata. */
export function validateFinalizerName(finalizer: string, path: FieldPath): FieldError[] {
  const errors = qualifiedName(finalizer, path);
  return errors.length > 0 ? errors : standardOrQualified(finalizer, path);
}

function qualifiedName(finalizer: string, path: FieldPath): FieldError[] {
  return isQualifiedName(finalizer).map((message) => invalidValue(path, finalizer, message));
}

function standardOrQualified(finalizer: string, path: FieldPath): FieldError[] {
  if (finalizer.includes('/') || standardFinalizers.includes(finalizer)) return [];
  return [invalidValue(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')];
}

/** Equal as JSON, whatever the order of keys; absent and empty are the same, as in upstream's semantic comparison. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isEmpty(a) && isEmpty(b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => isEqual(item, b[i]));
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of Object.keys(left)) if (!isEqual(left[key], right[key])) return false;
  for (const key of Object.keys(right)) if (!(key in left) && !isEmpty(right[key])) return false;
  return true;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) && value.length === 0;
}
