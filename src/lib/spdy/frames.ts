// SPDY/3.1's frames on the wire: eight bytes of head, then a body.
import { uint32 } from './header-block.ts';

export const frameTypes = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 };
export const finFlag = 1;
export const maxDataBytes = 32 << 10;
const maxControlBytes = 64 << 10;

export type Frame =
  | { kind: 'data'; id: number; flags: number; body: Buffer }
  | { kind: 'control'; type: number; id: number; flags: number; body: Buffer };

export function dataFrame(id: number, flags: number, data: Buffer): Buffer {
  return Buffer.concat([uint32(id), uint32((flags << 24) | data.length), data]);
}

export function controlFrame(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint32(0x80030000 | type), uint32(body.length), body]);
}

/** The frames of a byte stream in order; while the consumer waits nothing more is read than one chunk. */
export async function* readFrames(source: AsyncIterable<Buffer>, head: Buffer): AsyncGenerator<Frame> {
  let buffered = head;
  for await (const chunk of withHead(source)) {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    for (;;) {
      const frame = takeFrame(buffered);
      if (frame === undefined) break;
      buffered = buffered.subarray(8 + frame.body.length);
      yield frame;
    }
  }
}

/** One empty chunk first, so that frames which came with the upgrade are not kept until more arrives. */
async function* withHead(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.alloc(0);
  yield* source;
}

function takeFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 8) return undefined;
  const length = bytes.readUIntBE(5, 3);
  const word = bytes.readUInt32BE(0);
  const isControl = word >>> 31 === 1;
  if (isControl && ((word >>> 16) & 0x7fff) !== 3) throw new Error('not SPDY/3');
  if (isControl && (length > maxControlBytes || length < 4)) throw new Error('SPDY control frame of an impossible length');
  if (bytes.length < 8 + length) return undefined;
  const [flags, body] = [bytes[4]!, bytes.subarray(8, 8 + length)];
  if (!isControl) return { kind: 'data', id: word, flags, body };
  return { kind: 'control', type: word & 0xffff, id: body.readUInt32BE(0) & 0x7fffffff, flags, body };
}
