// HTTP/2 connections to one server: as many as the streams need, replaced when they break, given up when they fall silent.
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { connect, constants } from 'node:http2';
import type { Clock, Timer } from '#lib/clock.ts';

/** Whom to trust and who we are, as a kubeconfig says it. PEM texts. */
export interface Credentials {
  /** `https://host:port` */
  server: string;
  ca?: string;
  cert?: string;
  key?: string;
  /** A bearer token, or where to get the current one. */
  token?: string | (() => string | Promise<string>);
  /** The name to expect in the server's certificate. */
  tlsServerName?: string;
  insecureSkipTlsVerify?: boolean;
}

export interface Http2PoolOptions extends Credentials {
  clock: Clock;
  userAgent?: string;
  timeoutMs?: number;
}

export interface HttpRequest {
  method: string;
  path: string;
  query?: URLSearchParams;
  body?: unknown;
  contentType?: string;
}

export interface Http2Pool {
  request(request: HttpRequest): Promise<{ status: number; body: string; retryAfter: number | undefined }>;
  /** Opens a stream whose body the caller reads; it has no time limit. */
  open(request: HttpRequest): Promise<ClientHttp2Stream>;
  close(): void;
}

/** Below what servers allow on one connection, so that no request waits behind watches. */
const maxStreams = 90;
const pingPeriodMs = 30_000;
const pingTimeoutMs = 15_000;

interface Connection {
  session: ClientHttp2Session;
  streams: number;
}

export function createHttp2Pool(options: Http2PoolOptions): Http2Pool {
  const { clock, timeoutMs = 60_000 } = options;
  const connections = new Set<Connection>();
  let isClosed = false;

  const connectionFor = (): Connection => {
    for (const connection of connections) {
      const { session } = connection;
      if (connection.streams < maxStreams && !session.closed && !session.destroyed) return connection;
    }
    const connection = { session: openSession(options), streams: 0 };
    connections.add(connection);
    keepAlive(clock, connection.session);
    const drop = (): void => void connections.delete(connection);
    connection.session.on('goaway', drop).on('close', drop).on('error', drop);
    return connection;
  };

  const open = async (request: HttpRequest): Promise<ClientHttp2Stream> => {
    if (isClosed) throw new Error('the client is closed');
    const headers = await headersOf(options, request);
    const connection = connectionFor();
    const stream = connection.session.request(headers, { endStream: request.body === undefined });
    // An open request keeps the process alive, an idle connection does not.
    if (connection.streams++ === 0) connection.session.ref();
    stream.once('close', () => {
      if (--connection.streams === 0 && !connection.session.destroyed) connection.session.unref();
      if (connection.streams === 0 && !connections.has(connection)) connection.session.close();
    });
    if (request.body !== undefined) stream.end(JSON.stringify(request.body));
    return stream;
  };

  return {
    open,
    async request(request) {
      const stream = await open(request);
      const timer = clock.after(timeoutMs, () => stream.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      try {
        return await readResponse(stream);
      } catch (cause) {
        throw new Error(`${request.method} ${options.server}${request.path}: ${(cause as Error).message}`, { cause });
      } finally {
        timer.cancel();
      }
    },
    close() {
      isClosed = true;
      for (const { session } of connections) session.destroy();
      connections.clear();
    },
  };
}

function openSession({ server, ca, cert, key, tlsServerName, insecureSkipTlsVerify }: Http2PoolOptions): ClientHttp2Session {
  return connect(server, {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(tlsServerName !== undefined && { servername: tlsServerName }),
    rejectUnauthorized: !insecureSkipTlsVerify,
  });
}

/** A peer that vanished without a word is noticed by its silence. */
function keepAlive(clock: Clock, session: ClientHttp2Session): void {
  let waiting: Timer | undefined;
  const period = clock.every(pingPeriodMs, () => {
    if (session.destroyed || session.connecting || waiting !== undefined) return;
    waiting = clock.after(pingTimeoutMs, () => session.destroy(new Error('the connection is dead: no answer to a ping')));
    session.ping(() => {
      waiting?.cancel();
      waiting = undefined;
    });
  });
  session.once('close', () => {
    period.cancel();
    waiting?.cancel();
  });
}

async function headersOf(options: Http2PoolOptions, request: HttpRequest): Promise<Record<string, string>> {
  const { token, userAgent = 'keks' } = options;
  const bearer = typeof token === 'function' ? await token() : token;
  const query = request.query?.toString();
  return {
    [constants.HTTP2_HEADER_METHOD]: request.method,
    [constants.HTTP2_HEADER_PATH]: query ? `${request.path}?${query}` : request.path,
    accept: 'application/json',
    'user-agent': userAgent,
    ...(request.body !== undefined && { 'content-type': request.contentType ?? 'application/json' }),
    ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
  };
}

function readResponse(stream: ClientHttp2Stream): Promise<{ status: number; body: string; retryAfter: number | undefined }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let retryAfter: number | undefined;
    stream.on('response', (headers) => {
      status = Number(headers[constants.HTTP2_HEADER_STATUS] ?? 0);
      const seconds = Number(headers['retry-after']);
      if (headers['retry-after'] !== undefined && Number.isFinite(seconds)) retryAfter = seconds;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('the connection was closed before the answer was complete')));
    stream.on('end', () => {
      if (status === 0) return reject(new Error('the connection was closed before an answer came'));
      resolve({ status, body: Buffer.concat(chunks).toString(), retryAfter });
    });
  });
}
