// One HTTP/2 stream behind the contract of exchange.ts.
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { finished, readBody, sinkOf, writeAll } from './body.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { splitTarget } from './target.ts';

/** Headers that belong to a connection, which HTTP/2 forbids in an answer. */
const connectionHeaders = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

export class Http2Exchange {
  readonly abort = new AbortController();
  readonly request: HttpRequest;
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, remoteAddress: string | undefined, certificate: Buffer | undefined) {
    this.#stream = stream;
    const { path, query } = splitTarget(headers[':path'] ?? '/');
    this.request = {
      method: headers[':method'] ?? 'GET',
      path,
      query,
      headers: ordinary(headers),
      remoteAddress: remoteAddress ?? '',
      ...(certificate && { clientCertificate: certificate }),
      body: (limitBytes) => readBody(stream, limitBytes, headers['content-length']),
      signal: this.abort.signal,
    };
    stream.on('error', () => {});
    // Node itself ends a stream that was reset: only 'aborted' tells it from one that we ended.
    stream.on('aborted', () => this.abort.abort(new Error('the client went away')));
  }

  get started(): boolean {
    return this.#stream.headersSent;
  }

  async respond(answer: Exclude<HttpResponse, { upgraded: true }>): Promise<void> {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const { body } = answer;
    const empty = this.request.method === 'HEAD' || (Buffer.isBuffer(body) && body.length === 0);
    stream.respond(headersOf(answer), { endStream: empty });
    if (!empty) {
      if (Buffer.isBuffer(body)) stream.end(body);
      else if (typeof body === 'function') {
        await body(sinkOf(stream));
        if (!stream.writableEnded && !stream.destroyed) stream.end();
      } else {
        await writeAll(stream, body);
        stream.end();
      }
    }
    await finished(stream);
    // The answer is complete but the client still sends: tell it to stop, without an error (RFC 9113, 8.1).
    if (!stream.endAfterHeaders && !stream.readableEnded && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
  }

  destroy(): void {
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}

function ordinary(headers: IncomingHttpHeaders): Record<string, string | undefined> {
  const plain: Record<string, string | undefined> = {};
  for (const name in headers) if (!name.startsWith(':')) plain[name] = headers[name] as string | undefined;
  if (headers[':authority'] !== undefined) plain.host = headers[':authority'];
  return plain;
}

function headersOf(answer: { status: number; headers: Readonly<Record<string, string>>; body: unknown }): Record<string, string | number> {
  const headers: Record<string, string | number> = { ':status': answer.status };
  for (const name of Object.keys(answer.headers)) {
    const lower = name.toLowerCase();
    if (!connectionHeaders.has(lower)) headers[lower] = answer.headers[name]!;
  }
  if (Buffer.isBuffer(answer.body)) headers['content-length'] = answer.body.length;
  return headers;
}
