// How controllers read what the API server refused.
import { ApiError } from '#api/meta/errors.ts';

/** Nothing can be created in a namespace that is being deleted: no reason to complain to anyone. */
export function isNamespaceTerminating(error: unknown): boolean {
  return error instanceof ApiError && (error.status.details?.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating');
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
