// SPDY/3.1 over a socket, either end: many half-closable streams with headers, which is what kubectl and container runtimes speak for
// exec, attach and port-forward. No HTTP on top: peers read the headers themselves. Flow control is TCP's, as with Kubernetes' clients.
// No published library serves it: those that are left want :method and :path, which Kubernetes' clients do not send.
import { Duplex } from 'node:stream';
import type { Frame } from './frames.ts';
import { controlFrame, dataFrame, finFlag, frameTypes, maxDataBytes, readFrames } from './frames.ts';
import type { Headers } from './header-block.ts';
import { headerDecoder, headerEncoder, uint32 } from './header-block.ts';

export interface SpdyStream {
  readonly id: number;
  readonly headers: Headers;
  /**
   * Ending it sends FIN; destroying it sends RST_STREAM unless both sides have ended. When the other side resets it or goes away, what
   * came before is still read, to an ordinary end, and writing fails: servers reset their streams as a way of closing them.
   */
  readonly channel: Duplex;
}

export interface SpdyConnection {
  /** Opens a stream; data may be written at once. */
  open(headers: Headers): SpdyStream;
  /** Ends the connection and all its streams. Idempotent. */
  close(error?: Error): void;
  /** Resolves when the connection is over, with what broke it. */
  readonly done: Promise<Error | undefined>;
}

export interface SpdyOptions {
  /** Clients open odd streams, servers even ones. */
  role: 'client' | 'server';
  /** Bytes that came with the HTTP upgrade. */
  head?: Buffer;
  /** Called for each stream the peer opens; it is accepted at once. */
  onStream?: (stream: SpdyStream) => void;
}

const refusedStream = 3;
const cancel = 5;
const maxStreams = 1000;

interface OpenStream {
  stream: SpdyStream;
  localEnded: boolean;
  remoteEnded: boolean;
  /** Its reader is behind. */
  full: boolean;
  /** The other side takes nothing more. */
  reset: boolean;
}

interface Session {
  readonly role: 'client' | 'server';
  readonly socket: Duplex;
  readonly streams: Map<number, OpenStream>;
  readonly encode: (headers: Headers) => Buffer;
  readonly decoder: ReturnType<typeof headerDecoder>;
  onStream: ((stream: SpdyStream) => void) | undefined;
  /** The peer's streams come in rising order. */
  lastPeerId: number;
  closed: boolean;
  /** Set while reading waits for a slow reader. */
  resume: (() => void) | undefined;
  finish: (error: Error | undefined) => void;
}

export function createSpdyConnection(socket: Duplex, options: SpdyOptions): SpdyConnection {
  const done = Promise.withResolvers<Error | undefined>();
  const session: Session = {
    role: options.role,
    socket,
    streams: new Map(),
    encode: headerEncoder(),
    decoder: headerDecoder(),
    onStream: options.onStream,
    lastPeerId: 0,
    closed: false,
    resume: undefined,
    finish: done.resolve,
  };
  let nextId = options.role === 'client' ? 1 : 2;
  socket.on('error', (error) => close(session, error));
  // Reading may be waiting for a slow reader when the connection goes.
  socket.on('close', () => {
    if (!socket.readableEnded) close(session, new Error('the connection was lost'));
  });
  readAll(session, options.head ?? Buffer.alloc(0)).then(
    () => {
      for (const entry of session.streams.values()) resetByPeer(session, entry);
      close(session, undefined);
    },
    (error: Error) => close(session, error),
  );
  return {
    open(headers) {
      const id = nextId;
      nextId += 2;
      const { stream } = addStream(session, id, headers);
      send(session, controlFrame(frameTypes.synStream, Buffer.concat([uint32(id), uint32(0), Buffer.alloc(2), session.encode(headers)])));
      return stream;
    },
    close: (error) => close(session, error),
    done: done.promise,
  };
}

function close(session: Session, error: Error | undefined): void {
  if (session.closed) return;
  if (error === undefined && session.role === 'server')
    send(session, controlFrame(frameTypes.goAway, Buffer.concat([uint32(session.lastPeerId), uint32(0)])));
  session.closed = true;
  for (const { stream } of session.streams.values()) stream.channel.destroy(error);
  session.streams.clear();
  session.resume?.();
  session.decoder.close();
  if (error === undefined) session.socket.end();
  else session.socket.destroy();
  session.finish(error);
}

function send(session: Session, frame: Buffer, sent?: (error?: Error | null) => void): void {
  if (session.closed || session.socket.destroyed) sent?.(new Error('the connection is closed'));
  else session.socket.write(frame, sent);
}

function sendReset(session: Session, id: number, status: number): void {
  send(session, controlFrame(frameTypes.rstStream, Buffer.concat([uint32(id), uint32(status)])));
}

function addStream(session: Session, id: number, headers: Headers): OpenStream {
  const channel = new Duplex({
    read: () => caughtUp(session, entry),
    write: (chunk: Buffer, _, callback) => {
      if (chunk.length === 0) return callback();
      if (entry.reset) return callback(new Error('stream reset by the other side'));
      for (let at = 0; at < chunk.length; at += maxDataBytes) {
        const last = at + maxDataBytes >= chunk.length;
        send(session, dataFrame(id, 0, chunk.subarray(at, at + maxDataBytes)), last ? callback : undefined);
      }
    },
    final: (callback) => {
      entry.localEnded = true;
      if (entry.reset) return callback();
      send(session, dataFrame(id, finFlag, Buffer.alloc(0)), () => callback());
      forgetIfOver(session, entry);
    },
    destroy: (error, callback) => {
      if (session.streams.delete(id)) sendReset(session, id, cancel);
      caughtUp(session, entry);
      callback(error);
    },
  });
  // Whoever uses the stream listens; a stream that nobody uses must not end the process.
  channel.on('error', () => undefined);
  const entry: OpenStream = { stream: { id, headers, channel }, localEnded: false, remoteEnded: false, full: false, reset: false };
  session.streams.set(id, entry);
  return entry;
}

function caughtUp(session: Session, entry: OpenStream): void {
  entry.full = false;
  if (!anyFull(session)) session.resume?.();
}

function anyFull(session: Session): boolean {
  return session.streams.values().some((entry) => entry.full);
}

function forgetIfOver(session: Session, entry: OpenStream): void {
  if (entry.localEnded && entry.remoteEnded) session.streams.delete(entry.stream.id);
}

function endRemote(session: Session, entry: OpenStream): void {
  if (entry.remoteEnded) return;
  entry.remoteEnded = true;
  entry.stream.channel.push(null);
  forgetIfOver(session, entry);
}

function resetByPeer(session: Session, entry: OpenStream): void {
  entry.reset = true;
  endRemote(session, entry);
  session.streams.delete(entry.stream.id);
}

async function readAll(session: Session, head: Buffer): Promise<void> {
  for await (const frame of readFrames(session.socket as AsyncIterable<Buffer>, head)) {
    // After our own close the rest is read to its end and dropped, so that what we sent last is not cut off.
    if (session.closed) continue;
    if (frame.kind === 'data') onData(session, frame);
    else await onControl(session, frame);
    if (anyFull(session)) {
      await new Promise<void>((resolve) => (session.resume = resolve));
      session.resume = undefined;
    }
  }
}

function onData(session: Session, frame: Frame): void {
  const entry = session.streams.get(frame.id);
  if (entry === undefined || entry.remoteEnded) return;
  if (frame.body.length > 0 && !entry.stream.channel.push(frame.body)) entry.full = true;
  if (frame.flags & finFlag) endRemote(session, entry);
}

async function onControl(session: Session, frame: Frame & { kind: 'control' }): Promise<void> {
  const { type, id, flags, body } = frame;
  const entry = session.streams.get(id);
  if (type === frameTypes.synStream) await onSynStream(session, frame);
  else if (type === frameTypes.synReply) {
    await session.decoder.decode(body.subarray(4));
    if (entry !== undefined && flags & finFlag) endRemote(session, entry);
  } else if (type === frameTypes.rstStream && entry !== undefined) {
    resetByPeer(session, entry);
  } else if (type === frameTypes.ping) {
    const ours = !isPeers(session, body.readUInt32BE(0));
    if (!ours) send(session, controlFrame(frameTypes.ping, body));
  } else if (type === frameTypes.goAway && session.streams.size === 0) close(session, undefined);
}

async function onSynStream(session: Session, { id, flags, body }: Frame): Promise<void> {
  // Decoded in any case: all blocks are one zlib stream.
  const headers = await session.decoder.decode(body.subarray(10));
  if (session.closed) return;
  if (!isPeers(session, id) || id <= session.lastPeerId || session.streams.size >= maxStreams) return sendReset(session, id, refusedStream);
  session.lastPeerId = id;
  const opened = addStream(session, id, headers);
  send(session, controlFrame(frameTypes.synReply, Buffer.concat([uint32(id), session.encode({})])));
  session.onStream?.(opened.stream);
  if (flags & finFlag) endRemote(session, opened);
}

/** Clients count odd numbers, servers even ones. */
function isPeers(session: Session, id: number): boolean {
  return (id % 2 === 1) === (session.role === 'server');
}
