// API failures: every one is an ApiError that carries the Status a client receives, and is built only here.
import type { ResourceType } from './object.ts';
import { qualifiedPlural } from './object.ts';

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: object;
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: { name?: string; group?: string; kind?: string; uid?: string; causes?: StatusCause[]; retryAfterSeconds?: number };
  code: number;
}

export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: Status;
  constructor(status: Status, options?: ErrorOptions) {
    super(status.message, options);
    this.status = status;
  }
  get code(): number {
    return this.status.code;
  }
  get reason(): string {
    return this.status.reason ?? '';
  }
}

type Named = Pick<ResourceType, 'group' | 'plural'>;

export function isReason(error: unknown, ...reasons: string[]): boolean {
  return error instanceof ApiError && reasons.includes(error.reason);
}
export const isNotFound = (error: unknown): boolean => isReason(error, 'NotFound');
export const isAlreadyExists = (error: unknown): boolean => isReason(error, 'AlreadyExists');
export const isConflict = (error: unknown): boolean => isReason(error, 'Conflict');
/** The revision asked for is gone: list again. */
export const isExpired = (error: unknown): boolean => isReason(error, 'Expired', 'Gone');

export function failure(code: number, reason: string, message: string, details?: Status['details'], options?: ErrorOptions): ApiError {
  return new ApiError(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason !== '' && { reason }),
      ...(details && { details }),
      code,
    },
    options,
  );
}

export function notFound(resource: Named, name: string): ApiError {
  return failure(404, 'NotFound', `${qualifiedPlural(resource)} ${quote(name)} not found`, detailsOf(resource, name));
}

/** No such path on this server. */
export function pathNotFound(): ApiError {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(resource: Named, name: string): ApiError {
  return failure(409, 'AlreadyExists', `${qualifiedPlural(resource)} ${quote(name)} already exists`, detailsOf(resource, name));
}

export function conflict(resource: Named, name: string, detail: string): ApiError {
  return failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualifiedPlural(resource)} ${quote(name)}: ${detail}`,
    detailsOf(resource, name),
  );
}

/** The 409 of an update at an old resourceVersion; kubectl and client-go retry on it. */
export function modifiedConflict(resource: Named, name: string): ApiError {
  return conflict(resource, name, 'the object has been modified; please apply your changes to the latest version and try again');
}

export function forbidden(resource: Named, name: string, detail: string): ApiError {
  const message =
    resource.plural === ''
      ? `forbidden: ${detail}`
      : name === ''
        ? `${qualifiedPlural(resource)} is forbidden: ${detail}`
        : `${qualifiedPlural(resource)} ${quote(name)} is forbidden: ${detail}`;
  return failure(403, 'Forbidden', message, detailsOf(resource, name));
}

export function unauthorized(message = 'Unauthorized'): ApiError {
  return failure(401, 'Unauthorized', message);
}

export function badRequest(message: string): ApiError {
  return failure(400, 'BadRequest', message);
}

export function methodNotSupported(resource: Named, action: string): ApiError {
  return failure(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind "${qualifiedPlural(resource)}"`,
    detailsOf(resource, ''),
  );
}

export function methodNotAllowed(): ApiError {
  return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

export function notAcceptable(accepted: string[]): ApiError {
  return failure(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);
}

export function unsupportedMediaType(accepted: string[]): ApiError {
  return failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

export function tooLarge(message: string): ApiError {
  return failure(413, 'RequestEntityTooLarge', message);
}

export function expired(message: string): ApiError {
  return failure(410, 'Expired', message);
}

export function tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
  return failure(429, 'TooManyRequests', message, { retryAfterSeconds });
}

/** The server has not yet seen the resourceVersion that was asked for. */
export function tooLargeResourceVersion(asked: number, current: number): ApiError {
  return failure(504, 'Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

/** What was asked for may have been done or not. */
export function timeout(message: string, options?: ErrorOptions): ApiError {
  return failure(504, 'Timeout', `Timeout: ${message}`, undefined, options);
}

export function serviceUnavailable(message: string, options?: ErrorOptions): ApiError {
  return failure(503, 'ServiceUnavailable', message, undefined, options);
}

export function internalError(message: string, options?: ErrorOptions): ApiError {
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }, options);
}

/** A thing that keks does not do yet: said clearly, and nothing was changed. */
export function notImplemented(message: string): ApiError {
  return failure(501, 'NotImplemented', message);
}

/** The 422 that lists every field error; `kind` is the object's kind, as upstream names it in this one message. */
export function invalid(type: { group: string; kind: string }, name: string, causes: StatusCause[]): ApiError {
  const qualified = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const list = texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`;
  return failure(422, 'Invalid', `${qualified} ${quote(name)} is invalid: ${list}`, {
    ...(name !== '' && { name }),
    ...(type.group !== '' && { group: type.group }),
    ...(type.kind !== '' && { kind: type.kind }),
    causes,
  });
}

function detailsOf(resource: Named, name: string): Status['details'] {
  return {
    ...(name !== '' && { name }),
    ...(resource.group !== '' && { group: resource.group }),
    ...(resource.plural !== '' && { kind: resource.plural }),
  };
}

/** Go's %q for the names that occur here. */
function quote(text: string): string {
  return JSON.stringify(text);
}
