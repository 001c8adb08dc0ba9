// What an answer that says failure means: the Status in it, or the best that can be made of what is no Status.
import type { Status } from '#api/meta/errors.ts';
import { ApiError, failure } from '#api/meta/errors.ts';

export function errorFrom(status: number, body: string): ApiError {
  try {
    const parsed = JSON.parse(body) as Status;
    if (parsed?.kind === 'Status') return new ApiError(parsed);
  } catch {
    // Not from an API server: a proxy's page, or nothing at all.
  }
  const detail = body.trim().slice(0, 200);
  return failure(status, reasons[status] ?? 'Unknown', detail === '' ? `the server answered with status ${status}` : detail);
}

const reasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Gone',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};
