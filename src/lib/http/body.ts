// Reads a request's body within a limit, and writes long answers at the reader's pace.
import type { Readable, Writable } from 'node:stream';
import { BodyTooLargeError, type StreamSink } from './exchange.ts';

export function readBody(stream: Readable, limitBytes: number, announced: string | undefined): Promise<Buffer> {
  if (announced !== undefined && Number(announced) > limitBytes) return Promise.reject(new BodyTooLargeError('request body too large'));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = () => {
      stream.off('data', take);
      stream.off('end', end);
      stream.off('error', fail);
      stream.off('close', gone);
    };
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limitBytes) return void chunks.push(chunk);
      done();
      reject(new BodyTooLargeError('request body too large'));
    };
    const end = () => {
      done();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
    };
    const fail = (error: Error) => {
      done();
      reject(error);
    };
    const gone = () => fail(new Error('the client went away while sending the body'));
    stream.on('data', take).on('end', end).on('error', fail).on('close', gone);
    if (stream.readableEnded) end();
    else if (stream.destroyed) gone();
  });
}

const groupBytes = 64 * 1024;

/** Writes all chunks in groups, waiting for the reader between them. Stops quietly if the reader goes away. */
export async function writeAll(stream: Writable, chunks: readonly Buffer[]): Promise<void> {
  let grouped = 0;
  stream.cork();
  for (const chunk of chunks) {
    stream.write(chunk);
    grouped += chunk.length;
    if (grouped < groupBytes) continue;
    grouped = 0;
    stream.uncork();
    await drained(stream);
    if (stream.destroyed) return;
    stream.cork();
  }
  stream.uncork();
}

export function sinkOf(stream: Writable): StreamSink {
  return {
    write(chunks) {
      if (stream.destroyed || stream.writableEnded) return false;
      if (chunks.length === 1) return stream.write(chunks[0]!);
      stream.cork();
      let more = true;
      for (const chunk of chunks) more = stream.write(chunk);
      stream.uncork();
      return more;
    },
    drained: () => drained(stream),
    get pendingBytes() {
      return stream.writableLength;
    },
    end() {
      if (!stream.writableEnded && !stream.destroyed) stream.end();
    },
  };
}

/** Resolves when the stream takes more, or never will. */
function drained(stream: Writable): Promise<void> {
  if (stream.destroyed || !stream.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

/** Resolves when everything was handed to the system or the reader is gone. */
export function finished(stream: Writable): Promise<void> {
  if (stream.destroyed || stream.writableFinished) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stream.off('finish', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('finish', done).on('close', done);
  });
}
