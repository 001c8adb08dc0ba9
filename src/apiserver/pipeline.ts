// The way of a request from outside, step by step: what is it about, who asks, is it noted down, is there room,
// may they, and who answers.
import type { HttpHandler, HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import type { AdmissionRequest } from './admission/plugin.ts';
import { checkAccess } from './access-check.ts';
import { anonymousUser } from './authn/authenticate.ts';
import { pathNotFound } from '#api/meta/errors.ts';
import { respondError, toApiError } from './output/respond.ts';
import { warningHeader } from './output/warning-header.ts';
import { createInFlight } from './in-flight.ts';
import type { PathHandler } from './paths.ts';
import type { Core } from './registry/core.ts';
import type { RequestContext } from './request.ts';
import { parseRequestInfo } from './request-info.ts';
import { routeResource } from './route-resource.ts';
import type { AuditEntry, AuditTrail, ConnectHandler, Security, VirtualResource } from './server.ts';
import { routeVirtual } from './virtual-resources.ts';

export interface PipelineParts {
  virtual: readonly VirtualResource[];
  connect?: Readonly<Record<string, ConnectHandler>>;
  paths?: readonly PathHandler[];
  audit?: AuditTrail;
}

export function createPipeline(core: Core, security: Security, parts: PipelineParts): HttpHandler {
  const inFlight = createInFlight();
  return async (request) => {
    let leave = () => {};
    const context = blankContext(request);
    let noted: AuditEntry | undefined;
    let response: HttpResponse;
    let failure: Error | undefined;
    try {
      context.info = parseRequestInfo(request.method, request.path, context.query);
      try {
        context.user = await security.authenticate(request);
      } finally {
        // Whoever could not prove who they are is noted as nobody.
        noted = parts.audit?.received(request, context);
      }
      leave = inFlight.enter(context);
      checkAccess(core.authorize, { user: context.user, ...context.info });
      response = await route(core, parts, request, context);
    } catch (error) {
      failure = toApiError(error);
      const { cause } = failure;
      // Nobody else sees where it came from.
      if (cause !== undefined) core.log.error({ error: (cause as Error).stack ?? String(cause), path: request.path }, failure.message);
      response = respondError(failure, request);
    } finally {
      leave();
    }
    noted?.completed({ status: 'status' in response ? response.status : 101, ...(failure && { error: failure }) });
    return withHeaders(response, context.warnings, noted?.id);
  };
}

async function route(core: Core, parts: PipelineParts, request: HttpRequest, context: RequestContext): Promise<HttpResponse> {
  const { info } = context;
  if (!info.isResourceRequest) return await routePath(parts, request);
  const virtual = parts.virtual.find(({ resource }) => matches(resource, info));
  if (virtual !== undefined && info.subresource === '') return await routeVirtual(virtual, request, context);
  const resource = core.resources.find(info.group, info.version, info.resource);
  // A path that looks like a resource's may still be somebody's: else it is a 404.
  if (resource === undefined) return await routePath(parts, request);
  const namespace = resource.type.namespaced ? info.namespace : '';
  const connect = info.subresource === '' ? undefined : parts.connect?.[`${info.resource}/${info.subresource}`];
  if (connect === undefined) return await routeResource({ core, resource, request, context, namespace });
  const { name, subresource } = info;
  const { user } = context;
  const admission: AdmissionRequest = {
    operation: 'CONNECT',
    resource,
    subresource,
    namespace,
    name,
    object: undefined,
    old: undefined,
    user,
    dryRun: false,
  };
  await core.admission.validate(admission);
  return await connect(request, context);
}

async function routePath(parts: PipelineParts, request: HttpRequest): Promise<HttpResponse> {
  for (const handle of parts.paths ?? []) {
    const response = await handle(request);
    if (response !== undefined) return response;
  }
  throw pathNotFound();
}

function blankContext(request: HttpRequest): RequestContext {
  const info = parseRequestInfo(request.method, '/', new URLSearchParams());
  return {
    info: { ...info, path: request.path },
    user: anonymousUser,
    query: new URLSearchParams(request.query),
    userAgent: request.headers['user-agent'] ?? '',
    signal: request.signal,
    warnings: [],
  };
}

function matches(resource: { group: string; version: string; plural: string }, info: RequestContext['info']): boolean {
  return resource.plural === info.resource && resource.group === info.group && resource.version === info.version;
}

function withHeaders(response: HttpResponse, warnings: readonly string[], auditId: string | undefined): HttpResponse {
  if (!('headers' in response) || (warnings.length === 0 && auditId === undefined)) return response;
  const audit = auditId !== undefined && { 'audit-id': auditId };
  if (warnings.length === 0) return { ...response, headers: { ...response.headers, ...audit } };
  return { ...response, headers: { ...response.headers, ...audit, warning: warningHeader(warnings) } };
}
