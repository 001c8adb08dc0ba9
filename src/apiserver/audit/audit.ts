// The audit log: who did what and how it ended, one audit.k8s.io/v1 Event a line, at the level Metadata.
import { ApiError } from '#api/meta/errors.ts';
import type { UserInfo } from '#api/meta/access.ts';
import { type Clock, toMicroTime } from '#lib/clock.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
import type { Random } from '#lib/random.ts';
import { describeUser } from '../authz/reviews.ts';
import type { RequestContext } from '../request.ts';
import type { AuditTrail } from '../server.ts';
import { isAudited } from './policy.ts';

export interface AuditSink {
  /** Takes one line, without its end. Must not throw. */
  write(line: string): void;
}

export function createAuditTrail(options: {
  sink: AuditSink;
  clock: Clock;
  random: Random;
  impersonatorOf?(user: UserInfo): UserInfo | undefined;
  policy?(context: RequestContext): boolean;
}): AuditTrail {
  const { sink, clock, random, policy = isAudited } = options;
  return {
    received(request, context) {
      const id = auditIdOf(request) ?? random.uuid();
      if (!policy(context)) return { id, completed() {} };
      const receivedAt = clock.now();
      const user = options.impersonatorOf?.(context.user);
      return {
        id,
        completed({ status, error }) {
          // The body of a watch or of an upgraded connection goes on behind its answer.
          const stage = context.info.verb === 'watch' || status === 101 ? 'ResponseStarted' : 'ResponseComplete';
          const event = {
            kind: 'Event',
            apiVersion: 'audit.k8s.io/v1',
            level: 'Metadata',
            auditID: id,
            stage,
            requestURI: request.query === '' ? request.path : `${request.path}?${request.query}`,
            verb: context.info.verb,
            user: describeUser(user ?? context.user),
            ...(user && { impersonatedUser: describeUser(context.user) }),
            sourceIPs: [request.remoteAddress],
            ...(context.userAgent !== '' && { userAgent: context.userAgent }),
            ...objectRef(context),
            responseStatus: responseStatus(status, error),
            requestReceivedTimestamp: toMicroTime(receivedAt),
            stageTimestamp: toMicroTime(clock.now()),
            ...(status === 403 && { annotations: { 'authorization.k8s.io/decision': 'forbid' } }),
          };
          sink.write(JSON.stringify(event));
        },
      };
    },
  };
}

/** Clients may bring their own, which goes back to them in a header and into the log: nothing long or odd. */
function auditIdOf({ headers }: HttpRequest): string | undefined {
  const given = headers['audit-id'];
  return given !== undefined && /^[\w.:-]{1,64}$/.test(given) ? given : undefined;
}

function objectRef({ info }: RequestContext): object {
  if (!info.isResourceRequest) return {};
  const ref = {
    resource: info.resource,
    ...(info.namespace !== '' && { namespace: info.namespace }),
    ...(info.name !== '' && { name: info.name }),
    ...(info.group !== '' && { apiGroup: info.group }),
    apiVersion: info.version,
    ...(info.subresource !== '' && { subresource: info.subresource }),
  };
  return { objectRef: ref };
}

function responseStatus(code: number, error: Error | undefined): object {
  if (!(error instanceof ApiError)) return { metadata: {}, code };
  const { message, reason, details } = error.status;
  return { metadata: {}, status: 'Failure', message, reason, ...(details && { details }), code };
}
