// Resources that are answered and not stored: reviews of access, metrics, the old way to bind a pod.
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import { decode } from '#api/meta/decode.ts';
import { methodNotAllowed } from '#api/meta/errors.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { bindings, pods } from '#api/generated/resources.ts';
import { addWarnings } from './endpoints/create.ts';
import { readBody, writeQueryOf } from './endpoints/request-options.ts';
import { createOnSubresource } from './endpoints/subresource.ts';
import { negotiate } from './output/negotiate.ts';
import { isBuiltIn } from './output/protobuf.ts';
import { respondObject } from './output/respond.ts';
import { partialMetadata, partialMetadataList } from './output/partial-metadata.ts';
import type { Core } from './registry/core.ts';
import type { RequestContext } from './request.ts';
import type { VirtualResource } from './server.ts';

export async function routeVirtual(virtual: VirtualResource, request: HttpRequest, context: RequestContext): Promise<HttpResponse> {
  const { resource } = virtual;
  const { verb } = context.info;
  const apiVersion = apiVersionOf(resource);
  const format = negotiate(request, context.query, { list: verb === 'list', transformed: verb !== 'create', builtIn: isBuiltIn(resource) });
  const isMetadata = format.form === 'metadata';
  if (verb === 'create' && virtual.create !== undefined) {
    const { fieldValidation } = writeQueryOf(context.query, 'CreateOptions');
    const expected = { apiVersion, kind: resource.kind, fieldValidation };
    const { object, warnings } = decode(await readBody(request), request.headers['content-type'] ?? '', expected);
    addWarnings(context, warnings);
    return await respondObject(await virtual.create(object, context), { request, format, status: 201 });
  }
  const answer = { request, format, status: 200 };
  if (verb === 'get' && virtual.get !== undefined) {
    const object = await virtual.get(context);
    return await respondObject(isMetadata ? partialMetadata(object) : object, answer);
  }
  if (verb === 'list' && virtual.list !== undefined) {
    const items = await virtual.list(context);
    const list = { kind: `${resource.kind}List`, apiVersion, metadata: {}, items };
    return await respondObject(isMetadata ? partialMetadataList(items, {}) : list, answer);
  }
  throw methodNotAllowed();
}

/** `POST …/bindings`: what schedulers did before pods had a subresource for it. */
export function bindingsResource(core: Core): VirtualResource {
  return {
    resource: bindings,
    async create(object, context) {
      const resource = core.resources.of(pods);
      const { dryRun } = writeQueryOf(context.query, 'CreateOptions');
      const request = { context, namespace: context.info.namespace, name: object.metadata.name ?? '', body: object, dryRun };
      return (await createOnSubresource(core, resource as never, 'binding', request)) as KubeObject;
    },
  } as VirtualResource;
}
