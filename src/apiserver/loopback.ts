// The client of components in the same process: the same authorisation, admission and validation as over the network,
// but objects are handed over as they are, frozen and shared, instead of being encoded and decoded again.
import type { UserInfo } from '#api/meta/access.ts';
import { decodeValue } from '#api/meta/decode.ts';
import { badRequest, methodNotSupported } from '#api/meta/errors.ts';
import type { KubeList, KubeObject, ObjectRef, ResourceType } from '#api/meta/object.ts';
import { copyOf } from '#api/meta/object.ts';
import type { Client, ListOptions, Selection, WatchEvent, WatchHandle, WatchOptions, WriteOptions } from '#client/client.ts';
import { checkAccess } from './access-check.ts';
import type { CacheSelection } from './cache/selection.ts';
import { applyObject } from './endpoints/apply.ts';
import { createObject } from './endpoints/create.ts';
import { deleteObject } from './endpoints/delete.ts';
import { deleteCollection } from './endpoints/delete-collection.ts';
import { getObject } from './endpoints/get.ts';
import type { ReadOptions } from './endpoints/list-options.ts';
import { listObjects } from './endpoints/list.ts';
import { patchObject } from './endpoints/patch.ts';
import { checkApplyOptions } from './endpoints/request-options.ts';
import { selectionOf } from './endpoints/selection.ts';
import { createOnSubresource, getSubresource } from './endpoints/subresource.ts';
import { givenState, updateObject } from './endpoints/update.ts';
import { scaleOf, withScale } from './subresources/scale.ts';
import type { WatchSink } from './endpoints/watch.ts';
import { watchObjects } from './endpoints/watch.ts';
import type { Core } from './registry/core.ts';
import type { ServedResource } from './registry/served-resource.ts';
import { objectIn } from './registry/versions.ts';
import { selectedName } from './request-info.ts';
import type { RequestContext } from './request.ts';

const noQuery = new URLSearchParams();
const never = new AbortController().signal;

export function createLoopbackClient(core: Core, user: UserInfo): Client {
  const userAgent = userAgentOf(user);
  const enter: Enter = (type, verb, ref, subresource = '', fieldManager) =>
    enterRequest(
      core,
      { user, userAgent, fieldManager },
      { type: type as ResourceType, verb, namespace: ref.namespace ?? '', name: ref.name ?? selectedName(ref.fieldSelector), subresource },
    );
  return { ...readSide(core, enter), ...writeSide(core, enter) };
}

type Enter = <T extends KubeObject>(
  type: ResourceType<T>,
  verb: string,
  ref: { namespace?: string; name?: string; fieldSelector?: string },
  subresource?: string,
  fieldManager?: string,
) => { resource: ServedResource; context: RequestContext };

function readSide(core: Core, enter: Enter): Pick<Client, 'get' | 'list' | 'watch'> {
  return {
    async get<T extends KubeObject>(
      type: ResourceType<T>,
      ref: ObjectRef,
      options: { resourceVersion?: string; subresource?: string } = {},
    ) {
      const { resource } = enter(type, 'get', ref, options.subresource);
      const request = { namespace: ref.namespace ?? '', name: ref.name, resourceVersion: options.resourceVersion ?? '' };
      if (options.subresource) return (await getSubresource(core, resource, options.subresource, request)) as T;
      return objectIn(resource, (await getObject(core, resource, request)).object) as T;
    },
    async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}) {
      const { resource } = enter(type, 'list', options);
      const listing = await listObjects(core, resource, selected(resource, options), readOptions(options));
      return {
        apiVersion: resource.apiVersion,
        kind: `${type.kind}List`,
        metadata: {
          resourceVersion: String(listing.revision),
          ...(listing.continue !== undefined && { continue: listing.continue }),
          ...(listing.remainingItemCount !== undefined && { remainingItemCount: listing.remainingItemCount }),
        },
        items: listing.entries.map((entry) => objectIn(resource, entry.object)),
      } as KubeList<T>;
    },
    watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions, handler: (events: WatchEvent<T>[]) => void) {
      return openWatch(core, () => enter(type, 'watch', options).resource, options, handler);
    },
  };
}

function writeSide(core: Core, enter: Enter): Pick<Client, 'create' | 'update' | 'patch' | 'delete' | 'deleteCollection'> {
  return {
    async create<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}, ref?: ObjectRef) {
      const namespace = ref?.namespace ?? object.metadata?.namespace ?? '';
      const subresource = options.subresource ?? '';
      const { resource, context } = enter(
        type,
        'create',
        { namespace, name: ref?.name ?? (subresource ? object.metadata?.name : '') ?? '' },
        subresource,
        options.fieldManager,
      );
      const dryRun = options.dryRun ?? false;
      if (subresource !== '') {
        const body = { ...copyOf(object), metadata: { ...object.metadata } };
        const request = { context, namespace, name: ref?.name ?? object.metadata.name!, body, dryRun };
        return (await createOnSubresource(core, resource, subresource, request)) as T;
      }
      const request = { context, namespace: resource.type.namespaced ? namespace : '', object: owned(resource, object), dryRun };
      return objectIn(resource, (await createObject(core, resource, request)).entry.object) as T;
    },
    async update<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}) {
      const { namespace = '', name = '' } = object.metadata;
      const subresource = options.subresource ?? '';
      const { resource, context } = enter(type, 'update', { namespace, name }, subresource, options.fieldManager);
      const isScale = subresource === 'scale';
      const state = isScale ? { desired: (current: KubeObject) => withScale(current, object) } : givenState(owned(resource, object));
      const authorizeCreate = () => void enter(type, 'create', { namespace, name });
      const request = { context, namespace, name, subresource, dryRun: options.dryRun ?? false, authorizeCreate, ...state };
      const { entry } = await updateObject(core, resource, request);
      return (isScale ? scaleOf(entry.object) : objectIn(resource, entry.object)) as T;
    },
    async patch<T extends KubeObject>(
      type: ResourceType<T>,
      ref: ObjectRef,
      patch: Parameters<Client['patch']>[2],
      options: WriteOptions = {},
    ) {
      const subresource = options.subresource ?? '';
      const { resource, context } = enter(type, 'patch', ref, subresource, options.fieldManager);
      const { dryRun = false, fieldValidation = 'Ignore' } = options;
      const target = { context, namespace: ref.namespace ?? '', name: ref.name, subresource, dryRun };
      const body = copyOf(patch.body);
      if (patch.type !== 'apply') {
        const outcome = await patchObject(core, resource, { ...target, type: patch.type, patch: body, fieldValidation });
        return objectIn(resource, outcome.entry.object) as T;
      }
      checkApplyOptions(options.fieldManager);
      const authorizeCreate = () => void enter(type, 'create', ref);
      const { entry } = await applyObject(core, resource, {
        ...target,
        config: body as KubeObject,
        force: patch.force ?? false,
        authorizeCreate,
      });
      return (subresource === 'scale' ? scaleOf(entry.object) : objectIn(resource, entry.object)) as T;
    },
    async delete(type, ref, options = {}) {
      const { resource, context } = enter(type, 'delete', ref);
      const { dryRun = false, ...body } = options;
      await deleteObject(core, resource, { context, namespace: ref.namespace ?? '', name: ref.name, options: body, dryRun });
    },
    async deleteCollection(type, selection, options = {}) {
      const { resource, context } = enter(type, 'deletecollection', selection);
      const { dryRun = false, ...body } = options;
      await deleteCollection(core, resource, {
        context,
        selection: selected(resource, selection),
        read: readOptions({}),
        options: body,
        dryRun,
      });
    },
  };
}

interface Entering {
  type: ResourceType;
  verb: string;
  namespace: string;
  name: string;
  subresource: string;
}

/** What the pipeline does for requests from outside: finds the resource and asks whether the user may. */
interface Caller {
  user: UserInfo;
  userAgent: string;
  fieldManager: string | undefined;
}

function enterRequest(
  core: Core,
  { user, userAgent, fieldManager }: Caller,
  entering: Entering,
): { resource: ServedResource; context: RequestContext } {
  const { type, verb, name, subresource } = entering;
  const resource = core.resources.of(type);
  if (!resource.info.verbs.includes(verb) && subresource === '') throw methodNotSupported(type, verb);
  const isNamespace = type.group === '' && type.plural === 'namespaces';
  const ofOne = verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection';
  const namespace = isNamespace ? (ofOne ? name : '') : type.namespaced ? entering.namespace : '';
  const info = {
    isResourceRequest: true,
    path: '',
    verb,
    group: type.group,
    version: type.version,
    namespace,
    resource: type.plural,
    subresource,
    name,
  };
  checkAccess(core.authorize, { user, ...info });
  if (name === '' && (verb === 'get' || verb === 'update' || verb === 'patch' || verb === 'delete'))
    throw badRequest('name must be provided');
  const query = fieldManager === undefined ? noQuery : new URLSearchParams({ fieldManager });
  return { resource, context: { info, user, query, userAgent, signal: never, warnings: [] } };
}

/** Components go by upstream's names: managed fields show them. */
function userAgentOf({ name }: UserInfo): string {
  if (name.startsWith('system:node:')) return 'kubelet';
  if (name.startsWith('system:serviceaccount:kube-system:')) return 'kube-controller-manager';
  const component = /^system:(kube-.*)$/.exec(name)?.[1];
  return component ?? 'keks';
}

/** The request's own copy, in the form that the wire would have given it. */
function owned(resource: ServedResource, given: KubeObject): KubeObject {
  // Frozen, they are what the server stored, which it has at hand.
  const { managedFields, ...metadata } = given.metadata ?? {};
  const object = managedFields !== undefined && Object.isFrozen(managedFields) ? { ...given, metadata } : given;
  return decodeValue(object, { apiVersion: resource.apiVersion, kind: resource.type.kind, fieldValidation: 'Ignore' }).object;
}

function openWatch<T extends KubeObject>(
  core: Core,
  enter: () => ServedResource,
  options: WatchOptions,
  handler: (events: WatchEvent<T>[]) => void,
): WatchHandle {
  let close: (() => void) | undefined;
  let closed = false;
  let settle: (error: Error | undefined) => void = () => {};
  const done = new Promise<Error | undefined>((resolve) => {
    settle = resolve;
  });
  const tell = (events: WatchEvent<T>[]) => {
    if (!closed && events.length > 0) handler(events);
  };
  const open = async () => {
    const resource = enter();
    const shown = ({ object }: { object: KubeObject }): T => objectIn(resource, object) as T;
    const sink: WatchSink = {
      initial: (entries) => tell(entries.map((entry) => ({ type: 'ADDED', object: shown(entry) }))),
      events: (events) => tell(events.map(({ type, entry }) => ({ type, object: shown(entry) }))),
      bookmark: (revision, initial) => tell([{ type: 'BOOKMARK', resourceVersion: String(revision), initial }]),
      ended: settle,
    };
    // In this process nothing breaks a watch: without a wish it has no end of its own.
    const read = { ...readOptions(options), timeoutSeconds: options.timeoutSeconds ?? Infinity };
    const watch = await watchObjects(core, resource, selected(resource, options), read, sink);
    close = () => watch.close();
    if (closed) watch.close();
  };
  open().catch(settle);
  return {
    done,
    close() {
      closed = true;
      close?.();
      settle(undefined);
    },
  };
}

function selected(resource: ServedResource, selection: Selection): CacheSelection {
  return selectionOf(resource, {
    namespace: selection.namespace ?? '',
    labelSelector: selection.labelSelector ?? '',
    fieldSelector: selection.fieldSelector ?? '',
  });
}

function readOptions(options: ListOptions & Omit<WatchOptions, 'resourceVersionMatch'>): ReadOptions {
  return {
    resourceVersion: options.resourceVersion ?? '',
    resourceVersionMatch: options.resourceVersionMatch ?? '',
    limit: options.limit ?? 0,
    continue: options.continue ?? '',
    sendInitialEvents: options.sendInitialEvents,
    allowWatchBookmarks: options.allowWatchBookmarks ?? false,
    timeoutSeconds: options.timeoutSeconds,
  };
}
