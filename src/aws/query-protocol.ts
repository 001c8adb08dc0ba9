// The query protocol that STS and IAM speak: a form in, an XML document out, the operation named by `Action`.
import type { HttpHandler, HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import { BodyTooLargeError } from '#lib/http/exchange.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { AwsError, queryError } from './aws-error.ts';
import type { Principal } from './credentials.ts';
import type { Iam } from './iam-records.ts';
import { queryDialect, verifyRequest } from './verify.ts';
import type { XmlValue } from './xml.ts';
import { xmlDocument } from './xml.ts';

export interface QueryCall {
  parameters: ReadonlyMap<string, string>;
  caller: Principal;
  iam: Iam;
  nowMs: number;
}

/** Answers the content of `<ActionResult>`; undefined if the action has none. */
export type QueryAction = (call: QueryCall) => Promise<{ [name: string]: XmlValue } | undefined>;

export interface QueryService {
  service: 'sts' | 'iam';
  version: string;
  namespace: string;
  actions: Readonly<Record<string, QueryAction>>;
}

export interface QueryServerOptions {
  iam: Iam;
  now: () => number;
  random: Random;
  log: Log;
  regions: readonly string[];
}

const bodyLimitBytes = 1024 * 1024;

export function queryHandler(service: QueryService, options: QueryServerOptions): HttpHandler {
  return async (request) => {
    const requestId = options.random.uuid();
    try {
      return await answer(service, options, request, requestId);
    } catch (error) {
      const answered = asAwsError(error);
      if (answered.cause !== undefined) options.log.error({ requestId, err: answered.cause }, 'a request failed');
      return queryError(answered, requestId, service.namespace);
    }
  };
}

async function answer(service: QueryService, options: QueryServerOptions, request: HttpRequest, requestId: string): Promise<HttpResponse> {
  const body = await request.body(bodyLimitBytes);
  const nowMs = options.now();
  const caller = verifyRequest(request, body, {
    credentials: options.iam.credentials,
    nowMs,
    dialect: queryDialect,
    service: service.service,
    regions: options.regions,
  });
  const parameters = new Map([...new URLSearchParams(request.query), ...new URLSearchParams(body.toString())]);
  const action = parameters.get('Action') ?? '';
  const run = Object.hasOwn(service.actions, action) ? service.actions[action] : undefined;
  if (run === undefined || parameters.get('Version') !== service.version) throw unknownAction(service, parameters);
  const result = await run({ parameters, caller, iam: options.iam, nowMs });
  const text = xmlDocument(`${action}Response`, service.namespace, {
    ...(result !== undefined && { [`${action}Result`]: result }),
    ResponseMetadata: { RequestId: requestId },
  });
  return { status: 200, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body: Buffer.from(text) };
}

function unknownAction(service: QueryService, parameters: ReadonlyMap<string, string>): AwsError {
  const action = parameters.get('Action');
  if (!action) return new AwsError('MissingAction', 400, 'The request must contain the parameter Action');
  const version = parameters.get('Version') ?? '';
  const hint = version === service.version ? `; ${service.service}:${action} is not there yet in keks` : '';
  return new AwsError('InvalidAction', 400, `Could not find operation ${action} for version ${version || 'NO_VERSION_SPECIFIED'}${hint}`);
}

function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  if (error instanceof BodyTooLargeError) return new AwsError('RequestEntityTooLarge', 413, 'Request entity too large');
  return new AwsError(
    'InternalFailure',
    500,
    'The request processing has failed because of an unknown error, exception or failure.',
    {},
    { cause: error },
  );
}

/** A parameter that must be there. */
export function requiredParameter(call: QueryCall, name: string): string {
  const value = call.parameters.get(name);
  if (value) return value;
  const field = name[0]!.toLowerCase() + name.slice(1);
  throw validationError(`Value null at '${field}' failed to satisfy constraint: Member must not be null`);
}

export function validationError(...problems: string[]): AwsError {
  return new AwsError(
    'ValidationError',
    400,
    `${problems.length} validation error${problems.length === 1 ? '' : 's'} detected: ${problems.join('; ')}`,
  );
}

/** `2026-11-23T04:00:00Z` */
export function toXmlTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
