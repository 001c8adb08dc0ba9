// How every component speaks to an API server, in this process or across the network: the one door.
// Objects that a client returns are frozen and shared: copy before changing (copyOf).
import type { KubeList, KubeObject, ObjectRef, ResourceType } from '#api/meta/object.ts';

export interface Selection {
  /** Unset: all namespaces. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface ListOptions extends Selection {
  limit?: number;
  continue?: string;
  /** Unset: the latest. '0': whatever the server has cached. */
  resourceVersion?: string;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface WatchOptions extends Selection {
  resourceVersion?: string;
  allowWatchBookmarks?: boolean;
  sendInitialEvents?: boolean;
  resourceVersionMatch?: 'NotOlderThan';
  timeoutSeconds?: number;
}

export interface WriteOptions {
  subresource?: string;
  dryRun?: boolean;
  fieldManager?: string;
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
}

export interface DeleteOptions {
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: boolean;
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export type WatchEvent<T extends KubeObject> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  /** `initial` marks the end of the synthetic ADDED events of sendInitialEvents. */
  | { type: 'BOOKMARK'; resourceVersion: string; initial: boolean };

export interface WatchHandle {
  close(): void;
  /** Settles when the watch is over: undefined when closed by us or timed out by the server, else why. An Expired error means: list again. */
  readonly done: Promise<Error | undefined>;
}

export interface Client {
  get<T extends KubeObject>(
    resource: ResourceType<T>,
    ref: ObjectRef,
    options?: { resourceVersion?: string; subresource?: string },
  ): Promise<T>;
  list<T extends KubeObject>(resource: ResourceType<T>, options?: ListOptions): Promise<KubeList<T>>;
  /** Hands over events in order, several at once where they came at once. `handler` must not throw. */
  watch<T extends KubeObject>(resource: ResourceType<T>, options: WatchOptions, handler: (events: WatchEvent<T>[]) => void): WatchHandle;
  /** With a subresource, `ref` names the parent: create(pods, binding, { subresource: 'binding' }, { namespace, name }). */
  create<T extends KubeObject>(resource: ResourceType<T>, object: T, options?: WriteOptions, ref?: ObjectRef): Promise<T>;
  update<T extends KubeObject>(resource: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(
    resource: ResourceType<T>,
    ref: ObjectRef,
    patch: { type: PatchType; body: unknown; force?: boolean },
    options?: WriteOptions,
  ): Promise<T>;
  delete(resource: ResourceType, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  deleteCollection(resource: ResourceType, selection: Selection, options?: DeleteOptions): Promise<void>;
}
