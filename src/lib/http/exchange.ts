// One HTTP request and its answer, the same for HTTP/1.1 and HTTP/2, so that handlers know no sockets.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

export interface HttpRequest {
  method: string;
  /** Decoded by nobody: as on the wire, without the query. */
  path: string;
  /** Without the question mark; empty if there is none. */
  query: string;
  /** Names in lower case; repeated ones joined by ', '. */
  headers: Readonly<Record<string, string | undefined>>;
  remoteAddress: string;
  /** The client's certificate, if it presented one that the listener's client CA signed: DER. */
  clientCertificate?: Buffer;
  /** Reads the body; throws BodyTooLargeError past `limitBytes`. */
  body(limitBytes: number): Promise<Buffer>;
  /** Aborted when the client went away. */
  signal: AbortSignal;
  /** Present if the client asks to switch protocols (HTTP/1.1 only). Whoever takes it answers on the socket and returns `{ upgraded: true }`. */
  upgrade?: { socket: Duplex; head: Buffer; rawRequest: IncomingMessage };
}

export interface StreamSink {
  /** False: the client reads slowly; `drained` tells when to go on. Buffers are shared with other readers and never changed. */
  write(chunks: readonly Buffer[]): boolean;
  drained(): Promise<void>;
  /** Bytes accepted and not yet sent. */
  readonly pendingBytes: number;
  end(): void;
}

export type HttpResponse =
  | {
      status: number;
      headers: Readonly<Record<string, string>>;
      /** All at once, or a function that writes as long as it likes and returns when the body is complete. */
      body: Buffer | readonly Buffer[] | ((sink: StreamSink) => Promise<void>);
    }
  | { upgraded: true };

export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;

export class BodyTooLargeError extends Error {
  override name = 'BodyTooLargeError';
}
