// Header blocks of SPDY/3.1: one zlib stream a direction for the whole connection, with the protocol's dictionary.
import { constants, createInflate } from 'node:zlib';
import { spdyDictionary, spdyDictionaryAdler32 } from './spdy-dictionary.ts';

export type SpdyHeaders = Record<string, string>;

const maxHeaderBytes = 64 * 1024;
const endOfBlock = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** Unpacks blocks in order; each must be given before the next. Rejects what is not one or is too large. */
export function createHeaderReader(): { read(block: Buffer): Promise<SpdyHeaders>; close(): void } {
  const inflate = createInflate({ dictionary: spdyDictionary, finishFlush: constants.Z_SYNC_FLUSH });
  let chunks: Buffer[] = [];
  let size = 0;
  let fail: ((error: Error) => void) | undefined;
  inflate.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxHeaderBytes) inflate.destroy(new Error('SPDY header block too large'));
    else chunks.push(chunk);
  });
  inflate.on('error', (error) => fail?.(error));
  return {
    read: (block) =>
      new Promise((resolve, reject) => {
        fail = reject;
        chunks = [];
        size = 0;
        inflate.write(block, () => {
          try {
            resolve(parsePairs(Buffer.concat(chunks)));
          } catch (error) {
            reject(error as Error);
          }
        });
      }),
    close: () => inflate.close(),
  };
}

function parsePairs(block: Buffer): SpdyHeaders {
  const headers: SpdyHeaders = {};
  let at = 0;
  const text = () => {
    const length = block.readUInt32BE(at);
    const value = block.toString('utf8', at + 4, at + 4 + length);
    at += 4 + length;
    return value;
  };
  const count = block.readUInt32BE(at);
  at += 4;
  for (let i = 0; i < count; i++) {
    const name = text().toLowerCase();
    headers[name] = text().replaceAll('\0', ', ');
  }
  return headers;
}

/** Packs blocks as stored (not compressed) deflate blocks: they are tiny, and stored ones need no state but the stream's first bytes. */
export function createHeaderWriter(): (headers: SpdyHeaders) => Buffer {
  let first = true;
  return (headers) => {
    const plain = pairs(headers);
    const stored = Buffer.alloc(5);
    stored.writeUInt16LE(plain.length, 1);
    stored.writeUInt16LE(~plain.length & 0xffff, 3);
    // Go's reader hands out a block only behind a flush: an empty stored block.
    const parts = [...(first ? [streamStart()] : []), stored, plain, Buffer.from([0]), endOfBlock];
    first = false;
    return Buffer.concat(parts);
  };
}

function pairs(headers: SpdyHeaders): Buffer {
  const entries = Object.entries(headers);
  const count = Buffer.alloc(4);
  count.writeUInt32BE(entries.length);
  const parts = entries.flat().flatMap((text) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(text));
    return [length, Buffer.from(text)];
  });
  return Buffer.concat([count, ...parts]);
}

/** The zlib header that announces the dictionary. */
function streamStart(): Buffer {
  const start = Buffer.from([0x78, 0x20, 0, 0, 0, 0]);
  start.writeUInt32BE(spdyDictionaryAdler32, 2);
  return start;
}
