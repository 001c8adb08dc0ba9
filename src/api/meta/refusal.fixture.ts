// For tests: what an API error was thrown for.
import assert from 'node:assert/strict';
import { ApiError } from './errors.ts';

export function refusal(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    assert(error instanceof ApiError, String(error));
    return error;
  }
  assert.fail('was accepted');
}

/** The message of a 400. */
export function badRequestOf(run: () => unknown): string {
  const error = refusal(run);
  assert.equal(error.code, 400);
  return error.message;
}
