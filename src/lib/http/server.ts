// One port that speaks HTTP/2 and HTTP/1.1 (with upgrades) and answers both through one handler: TLS for a cluster, plain on loopback for the EKS endpoint.
import { once } from 'node:events';
import { createServer as createHttp1Server, type IncomingMessage, type Server as Http1Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { type Clock, systemClock } from '../clock.ts';
import type { Log } from '../log.ts';
import { createPeers, type Peers } from './peers.ts';
import { answerFailure, type FailureAnswer } from './failure.ts';
import { Http1Exchange } from './http1.ts';
import { Http2Exchange } from './http2.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './exchange.ts';

export interface ServeOptions {
  handler: HttpHandler;
  host: string;
  /** 0: a free one. */
  port: number;
  log: Log;
  clock?: Clock;
  /** Turns what a handler threw into an answer; without it every error is a 500 Status. */
  onError?: FailureAnswer;
}

export interface ServeTlsOptions extends ServeOptions {
  /** PEM of the serving key and certificate (chain). */
  key: string;
  cert: string;
  /** PEM of the authorities whose client certificates count. Without it none is asked for. */
  clientCa?: string;
}

export interface HttpServer {
  readonly port: number;
  /** Open connections. */
  connections(): number;
  /** Replaces the serving certificate for new connections. */
  setCertificate(pair: { key: string; cert: string }): void;
  /** Accepts nobody new, ends streams (watches), lets requests finish for `graceMs`, then cuts what is left. */
  close(graceMs?: number): Promise<void>;
}

const maxHeaderBytes = 64 * 1024;
const handshakeTimeoutMs = 10_000;
const headersTimeoutMs = 30_000;
/** For a request to arrive whole; answers may take as long as they like. */
const requestTimeoutMs = 300_000;

/** Everything that is open, so that closing can find it. */
interface Connections {
  /** As accepted; `secure` has their TLS side. */
  sockets: Set<Duplex>;
  secure: Set<Duplex>;
  sessions: Set<ServerHttp2Session>;
  /** Exchanges whose answer is a stream without an end of its own. */
  streams: Set<AbortController>;
  upgraded: Set<Duplex>;
  closing: boolean;
}

interface Exchange {
  readonly request: HttpRequest;
  /** The controller behind the request's signal. */
  readonly abort: AbortController;
  readonly started: boolean;
  respond(response: Exclude<HttpResponse, { upgraded: true }>): Promise<void>;
  destroy(): void;
}

/** HTTPS for one cluster. */
export async function serveTls(options: ServeTlsOptions): Promise<HttpServer> {
  const open = newConnections();
  const peers = createPeers(options.clientCa === undefined ? [] : [options.clientCa], options.clock ?? systemClock);
  const http1 = http1Server(options, open, peers);
  const http2 = http2Server(options, open, peers);
  const server = createTlsServer({
    key: options.key,
    cert: options.cert,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: handshakeTimeoutMs,
    noDelay: true,
    // Who presents no certificate, or a bad one, may still have a token: the verifier decides what a certificate is worth.
    ...(options.clientCa !== undefined && { requestCert: true, rejectUnauthorized: false, ca: options.clientCa }),
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.setNoDelay(true);
    if (socket.alpnProtocol !== 'h2') peers.remember(socket, socket);
    if (socket.alpnProtocol === 'h2') http2.emit('connection', socket);
    else http1.emit('connection', socket);
  });
  server.on('tlsClientError', (error: Error, socket: Duplex) => {
    options.log.debug({ error: error.message }, 'TLS handshake failed');
    socket.destroy();
  });
  return start(server, http1, options, open, (pair) => server.setSecureContext({ ...pair, ca: options.clientCa }));
}

/** Plain HTTP/1.1, for loopback. */
export async function serveHttp(options: ServeOptions): Promise<HttpServer> {
  const open = newConnections();
  const http1 = http1Server(options, open, createPeers([], options.clock ?? systemClock));
  return start(http1, http1, options, open, () => {
    throw new Error('a plain HTTP server has no certificate');
  });
}

function newConnections(): Connections {
  return { sockets: new Set(), secure: new Set(), sessions: new Set(), streams: new Set(), upgraded: new Set(), closing: false };
}

function http1Server(options: ServeOptions, open: Connections, peers: Peers): Http1Server {
  const server = createHttp1Server({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: 120_000,
    noDelay: true,
  });
  server.on('request', (raw: IncomingMessage, response: ServerResponse) => {
    void run(new Http1Exchange(raw, response, peers.certificateOf(raw.socket), () => open.closing), options, open);
  });
  server.on('upgrade', (raw: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.setNoDelay(true);
    track(socket, open.upgraded);
    socket.on('error', () => socket.destroy());
    void run(Http1Exchange.forUpgrade(raw, socket, head, peers.certificateOf(raw.socket)), options, open);
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  // Node sets up its request timeouts on 'listening', and behind the TLS server this one never listens by itself.
  if ('key' in options) server.emit('listening');
  return server;
}

function http2Server(options: ServeOptions, open: Connections, peers: Peers): Http2Server {
  const server = createHttp2Server({
    maxSessionMemory: 64,
    settings: { maxConcurrentStreams: 1000, initialWindowSize: 1024 * 1024, maxHeaderListSize: maxHeaderBytes },
  });
  server.on('session', (session) => {
    open.sessions.add(session);
    // Its `socket` guards the real one; the certificate is read through it once.
    peers.remember(session, session.socket as TLSSocket);
    session.once('close', () => open.sessions.delete(session));
    session.on('error', (error) => options.log.debug({ error: error.message }, 'HTTP/2 session failed'));
    if (open.closing) session.close();
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const session = stream.session as ServerHttp2Session;
    void run(new Http2Exchange(stream, headers, session.socket.remoteAddress, peers.certificateOf(session)), options, open);
  });
  server.on('sessionError', () => {});
  return server;
}

async function run(exchange: Exchange, options: ServeOptions, open: Connections): Promise<void> {
  const { request } = exchange;
  let streaming = false;
  try {
    const response = await options.handler(request);
    if ('upgraded' in response) return;
    streaming = typeof response.body === 'function';
    if (streaming) open.streams.add(exchange.abort);
    if (streaming && open.closing) exchange.abort.abort(new Error('the server is shutting down'));
    await exchange.respond(response);
  } catch (error) {
    if (request.signal.aborted) return exchange.destroy();
    const answer = (options.onError ?? answerFailure)(error);
    if (answer.status >= 500) options.log.error({ error, method: request.method, path: request.path }, 'request failed');
    if (exchange.started) return exchange.destroy();
    await exchange.respond(answer).catch(() => exchange.destroy());
  } finally {
    if (streaming) open.streams.delete(exchange.abort);
  }
}

async function start(
  server: NetServer,
  http1: Http1Server,
  options: ServeOptions,
  open: Connections,
  setCertificate: HttpServer['setCertificate'],
): Promise<HttpServer> {
  const clock = options.clock ?? systemClock;
  server.on('connection', (socket: Socket) => track(socket, open.sockets));
  server.on('secureConnection', (socket: Socket) => track(socket, open.secure));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => options.log.error({ error }, 'listener failed'));
  const { port } = server.address() as { port: number };
  let closed: Promise<void> | undefined;
  return {
    port,
    setCertificate,
    connections: () => open.sockets.size,
    close: (graceMs = 5_000) => (closed ??= shutDown(server, http1, open, clock, graceMs)),
  };
}

function track(socket: Duplex, set: Set<Duplex>): void {
  set.add(socket);
  socket.once('close', () => set.delete(socket));
}

async function shutDown(server: NetServer, http1: Http1Server, open: Connections, clock: Clock, graceMs: number): Promise<void> {
  open.closing = true;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const stream of open.streams) stream.abort(new Error('the server is shutting down'));
  // GOAWAY: running streams finish, new ones go elsewhere.
  for (const session of open.sessions) session.close();
  http1.closeIdleConnections();
  for (const socket of open.upgraded) socket.end();
  const cut = clock.after(graceMs, () => {
    for (const session of open.sessions) session.destroy();
    for (const socket of [...open.secure, ...open.sockets]) socket.destroy();
  });
  await closed;
  // The listener is done a moment before its last sockets are.
  await Promise.all([...open.sockets, ...open.secure].map((socket) => once(socket, 'close')));
  cut.cancel();
  if (http1 !== server) http1.close();
}
