// What becomes of an object whose owners are gone, going, or waiting for it: decided from its owner references alone.
import type { OwnerReference } from '#api/generated/meta-v1.ts';
import type { KubeObject } from '#api/meta/object.ts';

export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

export type OwnerState = 'present' | 'absent' | 'waiting';

export type Verdict =
  | { act: 'keep' }
  /** Some owners live: only the references to the others go. */
  | { act: 'dropReferences'; keep: OwnerReference[] }
  | { act: 'delete'; policy: 'Orphan' | 'Background' | 'Foreground' };

export function hasFinalizer(object: KubeObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) ?? false;
}

export function isDeleting(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** Deleted in the foreground: waits for the dependents that block it. */
export function isWaitingForDependents(object: KubeObject): boolean {
  return isDeleting(object) && hasFinalizer(object, foregroundFinalizer);
}

export function judge(object: KubeObject, stateOf: (reference: OwnerReference) => OwnerState, hasDependents: boolean): Verdict {
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0) return { act: 'keep' };
  const states = references.map((reference) => stateOf(reference));
  if (states.includes('present')) {
    const keep = references.filter((_, i) => states[i] === 'present');
    return keep.length === references.length ? { act: 'keep' } : { act: 'dropReferences', keep };
  }
  // An owner waits in the foreground: what hangs below this object must go before it, too.
  if (states.includes('waiting') && hasDependents) return { act: 'delete', policy: 'Foreground' };
  if (hasFinalizer(object, orphanFinalizer)) return { act: 'delete', policy: 'Orphan' };
  if (hasFinalizer(object, foregroundFinalizer)) return { act: 'delete', policy: 'Foreground' };
  return { act: 'delete', policy: 'Background' };
}

export function blocksDeletionOf(dependent: KubeObject, ownerUid: string): boolean {
  return (
    dependent.metadata.ownerReferences?.some(({ uid, blockOwnerDeletion }) => uid === ownerUid && blockOwnerDeletion === true) ?? false
  );
}
