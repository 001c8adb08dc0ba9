// Paths that are not resources: each area answers its own and passes on the rest.
import { createHash } from 'node:crypto';
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';

/** Answers a request, or undefined if the path is none of its own. */
export type PathHandler = (request: HttpRequest) => Promise<HttpResponse | undefined>;

export function firstOf(handlers: readonly PathHandler[]): PathHandler {
  return async (request) => {
    for (const handle of handlers) {
      const response = await handle(request);
      if (response) return response;
    }
    return undefined;
  };
}

/** A document that rarely changes: its bytes, made once, and the tag that clients send back to ask whether it did. */
export interface Document {
  body: Buffer;
  contentType: string;
  etag: string;
}

export function documentOf(body: Buffer, contentType: string): Document {
  return { body, contentType, etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"` };
}

export function jsonDocument(value: object, contentType = 'application/json'): Document {
  return documentOf(Buffer.from(JSON.stringify(value)), contentType);
}

/** The document, or 304 if the client has it. */
export function answerDocument(request: HttpRequest, document: Document, headers: Record<string, string> = {}): HttpResponse {
  const common = { ...headers, etag: document.etag, vary: 'Accept' };
  if (request.headers['if-none-match'] === document.etag) return { status: 304, headers: common, body: Buffer.alloc(0) };
  return { status: 200, headers: { ...common, 'content-type': document.contentType }, body: document.body };
}

export function isRead(request: HttpRequest): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

/** The media types of an Accept header with their parameters, the most wanted first. */
export function acceptedTypes(request: HttpRequest): { type: string; parameters: Record<string, string> }[] {
  const entries = (request.headers.accept ?? '*/*').split(',').map((entry) => {
    const [type = '', ...rest] = entry.split(';').map((part) => part.trim());
    const parameters = Object.fromEntries(rest.map((part) => part.split('=', 2) as [string, string]));
    return { type: type.toLowerCase(), parameters, weight: Number(parameters.q ?? 1) };
  });
  return entries.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight);
}
