// The way of a request from outside, step by step.
import type { HttpHandler } from '#lib/http/exchange.ts';
import { notImplemented } from '#api/meta/errors.ts';

export function createPipeline(..._parts: unknown[]): HttpHandler {
  return async () => {
    throw notImplemented('requests from outside');
  };
}
