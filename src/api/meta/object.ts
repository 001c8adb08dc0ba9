// What every Kubernetes object has. Stored objects are frozen: whoever wants a change makes a copy.
import type { ObjectMeta } from '#api/generated/meta-v1.ts';

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export interface KubeList<T> {
  apiVersion?: string;
  kind?: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

/** A resource's address and scope; the generated constants in `#api/generated/resources.ts` carry the object's type. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set: binds T to the constant. */
  readonly object?: T;
}

export interface ObjectRef {
  namespace?: string;
  name: string;
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(resource: { group: string; version: string }): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `deployments.apps`, or `pods` for the core group: how messages name a resource. */
export function qualifiedPlural(resource: { group: string; plural: string }): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** `namespace/name`, or the name alone for a cluster-scoped object: the key of queues and caches. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name!;
}

export function refOf(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** A copy that may be changed, but for managed fields: only the API server writes those, and they are as large as the rest. */
export function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key];
    copy[key] = key === 'managedFields' ? item : copyOf(item);
  }
  return copy as T;
}

/** Freezes a value and all it holds; answers it. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const key of Object.keys(value)) freeze((value as Record<string, unknown>)[key]);
  return Object.freeze(value);
}
