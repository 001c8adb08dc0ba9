// One HTTP/1.1 request and its answer behind the contract of exchange.ts; also requests to switch protocols.
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { finished, readBody, sinkOf, writeAll } from './body.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { splitTarget } from './target.ts';

export class Http1Exchange {
  readonly abort = new AbortController();
  readonly request: HttpRequest;
  readonly #response: ServerResponse;
  readonly #closing: () => boolean;

  constructor(raw: IncomingMessage, response: ServerResponse, certificate: Buffer | undefined, closing: () => boolean) {
    this.#response = response;
    this.#closing = closing;
    this.request = requestOf(raw, certificate, this.abort.signal);
    response.on('close', () => {
      if (!response.writableFinished) this.abort.abort(new Error('the client went away'));
    });
    response.on('error', () => {});
    raw.on('error', () => {});
  }

  /** Nobody may take the upgrade: then the answer is an ordinary one and the connection ends with it. */
  static forUpgrade(raw: IncomingMessage, socket: Socket, head: Buffer, certificate: Buffer | undefined): Http1Exchange {
    const response = new ServerResponse(raw);
    response.shouldKeepAlive = false;
    // Taken over only when an ordinary answer is written: a WebSocket's bytes are none of this response's business.
    const exchange = new Http1Exchange(raw, response, certificate, () => true);
    exchange.#detached = socket;
    const duplex: Duplex = socket;
    exchange.request.upgrade = { socket: duplex, head, rawRequest: raw };
    socket.on('close', () => exchange.abort.abort(new Error('the client went away')));
    return exchange;
  }

  #detached: Socket | undefined;

  get started(): boolean {
    return this.#response.headersSent;
  }

  async respond(answer: Exclude<HttpResponse, { upgraded: true }>): Promise<void> {
    const response = this.#response;
    if (this.#detached) {
      response.assignSocket(this.#detached);
      response.on('finish', () => this.#detached?.end());
    }
    const { body } = answer;
    const headers: Record<string, string | number> = { ...answer.headers };
    if (this.#closing()) headers.connection = 'close';
    if (Buffer.isBuffer(body)) headers['content-length'] = body.length;
    else if (typeof body !== 'function') headers['content-length'] = body.reduce((sum, chunk) => sum + chunk.length, 0);
    // Go's client reads the whole body before it looks at an early answer: close, so that it stops sending.
    if (!this.request.upgrade && !rawComplete(response.req)) headers.connection ??= 'close';
    response.writeHead(answer.status, headers);
    if (this.request.method === 'HEAD') response.end();
    else if (Buffer.isBuffer(body)) response.end(body);
    else if (typeof body === 'function') {
      response.flushHeaders();
      await body(sinkOf(response));
      if (!response.writableEnded) response.end();
    } else {
      await writeAll(response, body);
      response.end();
    }
    await finished(response);
  }

  destroy(): void {
    if (this.#detached) this.#detached.destroy();
    else this.#response.destroy();
  }
}

/** A body that nobody read to its end; requests without one count as complete. */
function rawComplete(raw: IncomingMessage): boolean {
  if (raw.complete || raw.readableEnded) return true;
  return raw.headers['content-length'] === undefined
    ? raw.headers['transfer-encoding'] === undefined
    : raw.headers['content-length'] === '0';
}

function requestOf(raw: IncomingMessage, certificate: Buffer | undefined, signal: AbortSignal): HttpRequest {
  const { path, query } = splitTarget(raw.url ?? '/');
  return {
    method: raw.method ?? 'GET',
    path,
    query,
    headers: raw.headers as Record<string, string | undefined>,
    remoteAddress: raw.socket.remoteAddress ?? '',
    ...(certificate && { clientCertificate: certificate }),
    body: (limitBytes) => readBody(raw, limitBytes, raw.headers['content-length']),
    signal,
  };
}
