// Tags, lengths and the limits of protobuf's wire format, and the one error of bytes that are not in it.
import protobuf from 'protobufjs/minimal.js';

export const protobufType = 'application/vnd.kubernetes.protobuf';

export type Reader = protobuf.Reader;
export type Writer = protobuf.Writer;

/** The bytes are no message of that kind; the text is what Go's generated code would say. */
export class ProtobufError extends Error {
  override name = 'ProtobufError';
}

export const varint = 0;
export const fixed64 = 1;
export const lengthDelimited = 2;
export const endGroup = 4;
export type WireType = typeof varint | typeof fixed64 | typeof lengthDelimited;

const unexpectedEnd = 'unexpected EOF';

/** Runs what reads from a reader; whatever the library throws is told as Go would. */
export function reading<T>(bytes: Uint8Array, read: (reader: Reader) => T): T {
  try {
    return read(protobuf.Reader.create(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  } catch (error) {
    if (error instanceof RangeError) throw new ProtobufError(unexpectedEnd, { cause: error });
    if (error instanceof ProtobufError || !(error instanceof Error) || error instanceof TypeError) throw error;
    throw new ProtobufError(`proto: ${error.message}`, { cause: error });
  }
}

export function writing(write: (writer: Writer) => void): Buffer {
  const writer = protobuf.Writer.create();
  write(writer);
  return writer.finish() as Buffer;
}

/** Reads the fields of a message that ends at `end`: `field` reads one and answers true, or false for one to skip. */
export function readFields(reader: Reader, end: number, message: string, field: (number: number, wireType: number) => boolean): void {
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!field(tag >>> 3, tag & 7)) skipField(reader, tag, message);
  }
  checkEnd(reader, end);
}

/** Refuses a field that reached beyond its message. */
export function checkEnd(reader: Reader, end: number): void {
  if (reader.pos !== end) throw new ProtobufError(unexpectedEnd);
}

export function skipField(reader: Reader, tag: number, message: string): void {
  const wireType = tag & 7;
  if (tag >>> 3 === 0) throw new ProtobufError(`proto: ${message}: illegal tag 0 (wire type ${tag})`);
  if (wireType === endGroup) throw new ProtobufError(`proto: ${message}: wiretype end group for non-group`);
  if (wireType > 5) throw new ProtobufError(`proto: illegal wireType ${wireType}`);
  reader.skipType(wireType);
}

/** Reads the length that stands before a message, and answers where that ends. */
export function endOfMessage(reader: Reader): number {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new ProtobufError(unexpectedEnd);
  return end;
}

export function wrongWireType(wireType: number, field: string): ProtobufError {
  return new ProtobufError(`proto: wrong wireType = ${wireType} for field ${field}`);
}
