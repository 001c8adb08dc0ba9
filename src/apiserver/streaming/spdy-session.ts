// The server's side of one SPDY/3.1 connection, as far as Kubernetes uses it: streams that the client opens, with data both ways.
// No published library serves it: those that are left want :method and :path, which Kubernetes' clients do not send.
import { Duplex } from 'node:stream';
import { readFrames } from './spdy-frames.ts';
import { createHeaderReader, createHeaderWriter, type SpdyHeaders } from './spdy-headers.ts';

const version = 0x8003;
const type = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 } as const;
const fin = 0x01;
const maxStreams = 1000;
const refusedStream = 3;

export interface SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  /** Ends both directions at once, as an error. */
  reset(): void;
}

export interface SpdySession {
  /** Says that no more streams are taken, and ends the connection once what was written is out. */
  close(): void;
  readonly closed: Promise<void>;
}

/** `onStream` gets each stream when the client has opened it; it may be read and written at once. */
export function createSpdySession(connection: Duplex, onStream: (stream: SpdyStream) => void): SpdySession {
  const streams = new Map<number, StreamEnd>();
  const readHeaders = createHeaderReader();
  const writeHeaders = createHeaderWriter();
  const ended = Promise.withResolvers<void>();
  let lastStream = 0;

  const control = (kind: number, flags: number, payload: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt16BE(version, 0);
    head.writeUInt16BE(kind, 2);
    head.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
    if (connection.writable) connection.write(Buffer.concat([head, payload]));
  };
  const link: Link = {
    send(id, flags, data, done) {
      if (!connection.writable) return done();
      const head = Buffer.alloc(8);
      head.writeUInt32BE(id, 0);
      head.writeUInt32BE(((flags << 24) | data.length) >>> 0, 4);
      connection.cork();
      connection.write(head);
      connection.write(data, () => done());
      connection.uncork();
    },
    reset(id, status) {
      control(type.reset, 0, words(id, status));
    },
    gone: (id) => void streams.delete(id),
    resume: () => frames.resume(),
  };

  const open = async (flags: number, payload: Buffer) => {
    const id = payload.readUInt32BE(0) & 0x7fffffff;
    const headers = await readHeaders.read(payload.subarray(10));
    if (id <= lastStream || streams.size >= maxStreams) return link.reset(id, refusedStream);
    lastStream = id;
    const stream = new StreamEnd(id, headers, link);
    streams.set(id, stream);
    control(type.synReply, 0, Buffer.concat([words(id), writeHeaders({})]));
    onStream(stream);
    if (flags & fin) stream.receiveEnd();
  };

  const frame = async (head: Buffer, payload: Buffer): Promise<boolean> => {
    const flags = head[4]!;
    if (!(head[0]! & 0x80)) {
      const stream = streams.get(head.readUInt32BE(0));
      const more = stream?.receive(payload) ?? true;
      if (flags & fin) stream?.receiveEnd();
      return more;
    }
    const kind = head.readUInt16BE(2);
    if (kind === type.synStream) await open(flags, payload);
    else if (kind === type.ping) control(type.ping, 0, payload);
    else if (kind === type.reset) streams.get(payload.readUInt32BE(0) & 0x7fffffff)?.destroy();
    return true;
  };

  const frames = readFrames(connection, frame);
  const over = () => {
    for (const stream of [...streams.values()]) stream.destroy();
    readHeaders.close();
    ended.resolve();
  };
  connection.once('close', over);
  connection.once('end', () => connection.end());
  connection.on('error', () => connection.destroy());
  return {
    closed: ended.promise,
    close() {
      control(type.goAway, 0, words(lastStream, 0));
      connection.end();
    },
  };
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, at * 4);
  return bytes;
}

/** What a stream does on its connection. */
interface Link {
  send(id: number, flags: number, data: Buffer, done: () => void): void;
  reset(id: number, status: number): void;
  gone(id: number): void;
  resume(): void;
}

class StreamEnd extends Duplex implements SpdyStream {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #link: Link;

  constructor(id: number, headers: SpdyHeaders, link: Link) {
    super({ allowHalfOpen: true });
    this.id = id;
    this.headers = headers;
    this.#link = link;
    this.on('error', () => {});
    this.once('close', () => link.gone(id));
  }

  /** False: the reader is behind. */
  receive(data: Buffer): boolean {
    return this.destroyed || this.readableEnded || this.push(data);
  }

  receiveEnd(): void {
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    this.#link.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#link.send(this.id, 0, chunk, done);
  }

  override _final(done: () => void): void {
    this.#link.send(this.id, fin, Buffer.alloc(0), done);
  }

  reset(): void {
    this.#link.reset(this.id, 5);
    this.destroy();
  }
}
