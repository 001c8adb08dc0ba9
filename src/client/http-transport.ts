// The client of components in other processes: JSON over HTTP/2 and TLS, watches as streams of lines.
import type { KubeList, KubeObject, ObjectRef, ResourceType } from '#api/meta/object.ts';
import { apiVersionOf, freeze } from '#api/meta/object.ts';
import type { Clock } from '#lib/clock.ts';
import type { Client, DeleteOptions, ListOptions, PatchType, Selection, WatchEvent, WatchOptions, WriteOptions } from './client.ts';
import { errorFrom } from './http-error.ts';
import type { Credentials, HttpRequest } from './http2-pool.ts';
import { createHttp2Pool } from './http2-pool.ts';
import { openWatchStream } from './watch-stream.ts';

export interface HttpClient extends Client {
  /** A request that is not about a resource: `/version`, `/healthz`. Throws an ApiError where the status says failure. */
  getPath(path: string): Promise<string>;
  /** Ends all connections, watches included. */
  close(): void;
}

export interface HttpClientOptions extends Credentials {
  clock: Clock;
  /** Default: keks. */
  userAgent?: string;
  /** How long one request may take; watches have no limit. */
  timeoutMs?: number;
}

const contentTypes: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};
const maxRetries = 10;

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { clock } = options;
  const pool = createHttp2Pool(options);

  const send = async (request: HttpRequest): Promise<string> => {
    for (let attempt = 0; ; attempt++) {
      const { status, body, retryAfter } = await pool.request(request);
      if (status < 400) return body;
      // A server that is busy says when to come back.
      if ((status === 429 || status === 503) && retryAfter !== undefined && attempt < maxRetries) await clock.sleep(retryAfter * 1000);
      else throw errorFrom(status, body);
    }
  };
  const sendJson = async <T>(request: HttpRequest): Promise<T> => freeze(JSON.parse(await send(request)) as T);

  return {
    get: (resource, ref, { resourceVersion, subresource } = {}) =>
      sendJson({ method: 'GET', path: pathOf(resource, ref, subresource), query: queryOf({ resourceVersion }) }),
    async list<T extends KubeObject>(resource: ResourceType<T>, listOptions: ListOptions = {}) {
      const { namespace, ...rest } = listOptions;
      const text = await send({ method: 'GET', path: pathOf(resource, { namespace }), query: queryOf({ ...rest }) });
      return freeze(withKinds(JSON.parse(text) as KubeList<T>, resource));
    },
    watch<T extends KubeObject>(resource: ResourceType<T>, watchOptions: WatchOptions, handler: (events: WatchEvent<T>[]) => void) {
      const { namespace, ...rest } = watchOptions;
      const request = { method: 'GET', path: pathOf(resource, { namespace }), query: queryOf({ ...rest, watch: true }) };
      return openWatchStream(pool, request, handler);
    },
    create: (resource, object, writeOptions = {}, ref) => {
      const namespace = ref?.namespace ?? object.metadata.namespace;
      const path = pathOf(
        resource,
        { namespace, name: writeOptions.subresource ? (ref?.name ?? object.metadata.name) : undefined },
        writeOptions.subresource,
      );
      return sendJson({ method: 'POST', path, query: writeQuery(writeOptions), body: object });
    },
    update: (resource, object, writeOptions = {}) =>
      sendJson({
        method: 'PUT',
        path: pathOf(resource, object.metadata, writeOptions.subresource),
        query: writeQuery(writeOptions),
        body: object,
      }),
    patch: (resource, ref, { type, body, force }, writeOptions = {}) => {
      const query = writeQuery(writeOptions);
      if (force !== undefined) query.set('force', String(force));
      return sendJson({
        method: 'PATCH',
        path: pathOf(resource, ref, writeOptions.subresource),
        query,
        body,
        contentType: contentTypes[type],
      });
    },
    async delete(resource, ref, deleteOptions) {
      await send({ method: 'DELETE', path: pathOf(resource, ref), body: deleteBody(deleteOptions) });
    },
    async deleteCollection(resource, { namespace, ...selectors }: Selection, deleteOptions) {
      await send({ method: 'DELETE', path: pathOf(resource, { namespace }), query: queryOf(selectors), body: deleteBody(deleteOptions) });
    },
    getPath: (path) => send({ method: 'GET', path }),
    close: () => pool.close(),
  };
}

function pathOf(resource: ResourceType, { namespace, name }: Partial<ObjectRef>, subresource?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const parts = [root];
  if (resource.namespaced && namespace) parts.push('namespaces', encodeURIComponent(namespace));
  parts.push(resource.plural);
  if (name) parts.push(encodeURIComponent(name));
  if (subresource) parts.push(subresource);
  return parts.join('/');
}

function queryOf(values: Record<string, string | number | boolean | undefined>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined && value !== '') query.set(key, String(value));
  return query;
}

function writeQuery({ dryRun, fieldManager, fieldValidation }: WriteOptions): URLSearchParams {
  return queryOf({ dryRun: dryRun ? 'All' : undefined, fieldManager, fieldValidation });
}

function deleteBody(options: DeleteOptions = {}): object {
  const { dryRun, ...rest } = options;
  return { apiVersion: 'v1', kind: 'DeleteOptions', ...rest, ...(dryRun && { dryRun: ['All'] }) };
}

/** Items of a list carry no kind of their own on the wire; the objects that a client returns do. */
function withKinds<T extends KubeObject>(list: KubeList<T>, resource: ResourceType<T>): KubeList<T> {
  const identity = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  return { ...list, items: (list.items ?? []).map((item) => ({ ...identity, ...item })) };
}
