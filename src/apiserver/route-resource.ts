// A request for a stored resource: from its verb to the endpoint, and from the result to the answer.
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import { decode } from '#api/meta/decode.ts';
import { methodNotAllowed, pathNotFound } from '#api/meta/errors.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { checkAccess } from './access-check.ts';
import { applyObject } from './endpoints/apply.ts';
import { parseApplyConfig } from './endpoints/apply-config.ts';
import { parsePatch, patchTypeOf } from './endpoints/apply-patch.ts';
import { addWarnings, createObject } from './endpoints/create.ts';
import { deleteObject } from './endpoints/delete.ts';
import { deleteCollection } from './endpoints/delete-collection.ts';
import { getObject } from './endpoints/get.ts';
import { readOptionsOf } from './endpoints/list-options.ts';
import { listObjects } from './endpoints/list.ts';
import { patchObject } from './endpoints/patch.ts';
import { deleteOptionsOf, patchQueryOf, readBody, writeQueryOf } from './endpoints/request-options.ts';
import { selectionOf } from './endpoints/selection.ts';
import { checkSubresource, createOnSubresource, getSubresource } from './endpoints/subresource.ts';
import { givenState, updateObject } from './endpoints/update.ts';
import { watchObjects } from './endpoints/watch.ts';
import type { Format } from './output/negotiate.ts';
import { negotiate, watchTypeOf } from './output/negotiate.ts';
import { isBuiltIn } from './output/protobuf.ts';
import type { Answer } from './output/respond.ts';
import { respondEntry, respondListing, respondObject, successStatus } from './output/respond.ts';
import { includeObjectOf } from './output/table.ts';
import { createWatchStream } from './output/watch-stream.ts';
import type { Core } from './registry/core.ts';
import type { ServedResource } from './registry/served-resource.ts';
import type { Outcome } from './registry/write.ts';
import type { RequestContext } from './request.ts';
import { scaleOf, withScale } from './subresources/scale.ts';

/** One request on its way: everything its endpoint needs. */
export interface Routed {
  core: Core;
  resource: ServedResource;
  request: HttpRequest;
  context: RequestContext;
  namespace: string;
}

export async function routeResource(routed: Routed): Promise<HttpResponse> {
  const { resource, context } = routed;
  const { verb, name, subresource } = context.info;
  const isCollection = verb === 'list' || verb === 'watch' || verb === 'deletecollection';
  if (!resource.type.namespaced && context.info.namespace !== '' && resource.type.plural !== 'namespaces') throw pathNotFound();
  if (resource.type.namespaced && routed.namespace === '' && verb !== 'list' && verb !== 'watch') throw methodNotAllowed();
  if (subresource !== '') return await routeSubresource(routed);
  if (!resource.info.verbs.includes(verb)) throw methodNotAllowed();
  if (!isCollection && (name === '') !== (verb === 'create')) throw methodNotAllowed();
  return await endpoints[verb as keyof typeof endpoints](routed);
}

const endpoints = { create, get, list, watch, update, patch, delete: remove, deletecollection: removeCollection };

async function create(routed: Routed): Promise<HttpResponse> {
  const { core, resource, context, namespace } = routed;
  const format = formatOf(routed, { list: false, transformed: true });
  const options = writeQueryOf(context.query, 'CreateOptions');
  const object = await decodeBody(routed, { apiVersion: resource.apiVersion, kind: resource.type.kind }, options.fieldValidation);
  const outcome = await createObject(core, resource, { context, namespace, object, dryRun: options.dryRun });
  return await respondOutcome(routed, outcome, format);
}

async function get(routed: Routed): Promise<HttpResponse> {
  const { core, resource, request, context, namespace } = routed;
  const format = formatOf(routed, { list: false, transformed: true });
  const resourceVersion = context.query.get('resourceVersion') ?? '';
  const entry = await getObject(core, resource, { namespace, name: context.info.name, resourceVersion });
  return await respondEntry(resource, entry, { request, format, status: 200 }, tableOptions(routed));
}

async function list(routed: Routed): Promise<HttpResponse> {
  const { core, resource, request, context } = routed;
  const format = formatOf(routed, { list: true, transformed: true });
  const listing = await listObjects(core, resource, selection(routed), readOptionsOf(context.query));
  return await respondListing(resource, listing, { request, format, status: 200 }, tableOptions(routed));
}

async function watch(routed: Routed): Promise<HttpResponse> {
  const { core, resource, request, context } = routed;
  const format = formatOf(routed, { list: false, transformed: true });
  let close = () => {};
  const { include } = tableOptions(routed);
  const stream = createWatchStream({ resource, ...format, include, now: () => core.clock.now(), close: () => close() });
  const running = await watchObjects(core, resource, selection(routed), readOptionsOf(context.query), stream.sink);
  close = () => running.close();
  const headers = { 'content-type': watchTypeOf(format), 'cache-control': 'no-cache, private' };
  return { status: 200, headers, body: (output) => stream.run(output, request.signal) };
}

async function update(routed: Routed): Promise<HttpResponse> {
  const { core, resource, context, namespace } = routed;
  const { name, subresource } = context.info;
  const format = formatOf(routed, { list: false, transformed: true });
  const { dryRun, fieldValidation } = writeQueryOf(context.query, 'UpdateOptions');
  const isScale = subresource === 'scale';
  const body = await decodeBody(routed, bodyKindOf(resource, subresource), fieldValidation);
  const state = isScale ? { desired: (current: KubeObject) => withScale(current, body) } : givenState(body);
  const authorizeCreate = () => checkAccess(core.authorize, { user: context.user, ...context.info, verb: 'create' });
  const outcome = await updateObject(core, resource, { context, namespace, name, subresource, dryRun, authorizeCreate, ...state });
  return await respondOutcome(routed, outcome, format);
}

async function patch(routed: Routed): Promise<HttpResponse> {
  const { core, resource, request, context, namespace } = routed;
  const { name, subresource } = context.info;
  const format = formatOf(routed, { list: false, transformed: true });
  const type = patchTypeOf(request.headers['content-type'] ?? '');
  const { dryRun, fieldValidation, force } = patchQueryOf(context.query, type);
  const target = { context, namespace, name, subresource, dryRun };
  const bytes = await readBody(request);
  if (type !== 'apply') {
    const outcome = await patchObject(core, resource, { ...target, type, ...parsePatch(bytes, type), fieldValidation });
    return await respondOutcome(routed, outcome, format);
  }
  const { config, complaint } = parseApplyConfig(bytes, fieldValidation);
  const authorizeCreate = () => checkAccess(core.authorize, { user: context.user, ...context.info, verb: 'create' });
  const outcome = await applyObject(core, resource, { ...target, config, complaint, force, authorizeCreate });
  return await respondOutcome(routed, outcome, format);
}

async function remove(routed: Routed): Promise<HttpResponse> {
  const { core, resource, request, context, namespace } = routed;
  const { name } = context.info;
  const format = formatOf(routed, { list: false, transformed: true });
  const { options, dryRun } = await deleteOptionsOf(request, context.query);
  const { entry, removed } = await deleteObject(core, resource, { context, namespace, name, options, dryRun });
  // Only those who asked for dependents to go along are told that it takes time.
  const accepted = !removed && (options.orphanDependents === false || options.propagationPolicy === 'Foreground');
  const answer: Answer = { request, format, status: accepted ? 202 : 200 };
  if (!removed || resource.returnsDeleted) return await respondEntry(resource, entry, answer, tableOptions(routed));
  const { group, plural } = resource.type;
  const details = { name, ...(group !== '' && { group }), kind: plural, uid: entry.object.metadata.uid! };
  return await respondObject(successStatus(details), answer);
}

async function removeCollection(routed: Routed): Promise<HttpResponse> {
  const { core, resource, request, context } = routed;
  const format = formatOf(routed, { list: true, transformed: true });
  const { options, dryRun } = await deleteOptionsOf(request, context.query);
  const read = readOptionsOf(context.query);
  const listing = await deleteCollection(core, resource, { context, selection: selection(routed), read, options, dryRun });
  return await respondListing(resource, listing, { request, format, status: 200 }, tableOptions(routed));
}

async function routeSubresource(routed: Routed): Promise<HttpResponse> {
  const { core, resource, request, context, namespace } = routed;
  const { verb, name, subresource } = context.info;
  checkSubresource(resource, subresource, verb);
  if (verb === 'update') return await update(routed);
  if (verb === 'patch') return await patch(routed);
  const isOwnKind = bodyKindOf(resource, subresource).kind === resource.type.kind;
  const format = formatOf(routed, { list: false, transformed: isOwnKind });
  if (verb === 'get') {
    const resourceVersion = context.query.get('resourceVersion') ?? '';
    if (isOwnKind) return await get(routed);
    const answer = { request, format, status: 200 };
    return await respondObject(await getSubresource(core, resource, subresource, { namespace, name, resourceVersion }), answer);
  }
  const { dryRun, fieldValidation } = writeQueryOf(context.query, 'CreateOptions');
  const body = await decodeBody(routed, bodyKindOf(resource, subresource), fieldValidation);
  const created = await createOnSubresource(core, resource, subresource, { context, namespace, name, body, dryRun });
  return await respondObject(created, { request, format, status: 201 });
}

async function respondOutcome(routed: Routed, outcome: Outcome, format: Format): Promise<HttpResponse> {
  const { resource, request, context } = routed;
  const answer = { request, format, status: outcome.created ? 201 : 200 };
  if (context.info.subresource === 'scale') return await respondObject(scaleOf(outcome.entry.object), answer);
  return await respondEntry(resource, outcome.entry, answer, tableOptions(routed));
}

async function decodeBody(
  { request, context }: Routed,
  expected: { apiVersion: string; kind: string },
  fieldValidation: 'Ignore' | 'Warn' | 'Strict',
): Promise<KubeObject> {
  const body = await readBody(request);
  const { object, warnings } = decode(body, request.headers['content-type'] ?? '', { ...expected, fieldValidation });
  addWarnings(context, warnings);
  return object;
}

function bodyKindOf(resource: ServedResource, subresource: string): { apiVersion: string; kind: string } {
  const row = resource.info.subresources.find(({ name }) => name === subresource);
  if (row === undefined) return { apiVersion: resource.apiVersion, kind: resource.type.kind };
  return { apiVersion: apiVersionOf({ group: row.bodyGroup, version: row.bodyVersion }), kind: row.kind };
}

function formatOf({ resource, request, context }: Routed, forms: { list: boolean; transformed: boolean }): Format {
  return negotiate(request, context.query, { ...forms, builtIn: isBuiltIn(resource.type) });
}

function selection({ resource, context, namespace }: Routed) {
  const { query, info } = context;
  const [labelSelector, fieldSelector] = [query.get('labelSelector') ?? '', query.get('fieldSelector') ?? ''];
  return selectionOf(resource, { namespace, labelSelector, fieldSelector, name: info.name });
}

function tableOptions({ core, context }: Routed) {
  return { include: includeObjectOf(context.query), now: core.clock.now() };
}
