// The EKS endpoint: signature → route → validated input → operation → JSON. Refusals are the service's own exceptions.
import { AwsError, restJsonError } from '#aws/aws-error.ts';
import type { CredentialStore } from '#aws/credentials.ts';
import { jsonDialect, verifyRequest } from '#aws/verify.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import { BodyTooLargeError } from '#lib/http/exchange.ts';
import type { Log } from '#lib/log.ts';
import type { EksContext, Operation } from './context.ts';
import { eksError, notThereYet } from './errors.ts';
import type { OperationName } from './generated/types.ts';
import { readInput } from './input.ts';
import { implemented } from './operations/all.ts';
import { matchRoute } from './routes.ts';

const bodyLimitBytes = 1024 * 1024;

export interface EksServerOptions {
  context: EksContext;
  credentials: CredentialStore;
  log: Log;
}

export function eksHandler(options: EksServerOptions): HttpHandler {
  return async (request) => {
    const requestId = options.context.random.uuid();
    try {
      const output = await answer(request, options);
      return {
        status: 200,
        headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId },
        body: Buffer.from(JSON.stringify(output)),
      };
    } catch (error) {
      return refuse(error, requestId, options.log);
    }
  };
}

async function answer(request: HttpRequest, { context, credentials }: EksServerOptions): Promise<object> {
  const body = await request.body(bodyLimitBytes);
  const caller = verifyRequest(request, body, {
    credentials,
    nowMs: context.now(),
    dialect: jsonDialect,
    service: 'eks',
    regions: [context.region],
  });
  const match = matchRoute(request.method, request.path);
  if (match === undefined) throw new AwsError('UnknownOperationException', 404, `No EKS operation has ${request.method} ${request.path}`);
  const run = implemented[match.operation] as Operation<OperationName> | undefined;
  if (run === undefined) throw notThereYet(match.operation);
  const input = readInput({ operation: match.operation, labels: match.labels, query: request.query, body });
  return run(input as never, context, caller);
}

function refuse(error: unknown, requestId: string, log: Log): HttpResponse {
  if (error instanceof AwsError) return restJsonError(error, requestId);
  if (error instanceof BodyTooLargeError) {
    return restJsonError(new AwsError('RequestEntityTooLargeException', 413, 'Request entity too large'), requestId);
  }
  log.error({ requestId, err: String(error), stack: (error as Error).stack }, 'an EKS request failed');
  return restJsonError(eksError('ServerException', 'Internal error: see the log of the daemon'), requestId);
}
