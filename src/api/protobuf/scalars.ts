// How scalars travel: each as Go's generated code writes it, absent ones as their zero value.
import { parseDuration } from '../meta/time.ts';
import type { ScalarType } from '../schema.ts';
import { readRaw, writeRaw } from './raw.ts';
import type { Reader, WireType, Writer } from './wire.ts';
import { endOfMessage, fixed64, lengthDelimited, ProtobufError, readFields, varint, wrongWireType } from './wire.ts';

export interface Codec {
  wireType: WireType;
  /** Everything behind the tag. An absent value is written as Go's zero value. */
  write(writer: Writer, value: unknown): void;
  /** Undefined: there is nothing to be seen in JSON. `depth`: how many more messages may be nested. */
  read(reader: Reader, depth: number): unknown;
}

const string: Codec = {
  wireType: lengthDelimited,
  write: (writer, value) => writer.string((value as string | undefined) ?? ''),
  read: (reader) => reader.string(),
};

const boolean: Codec = {
  wireType: varint,
  write: (writer, value) => writer.bool(value === true),
  read: (reader) => reader.bool(),
};

const int64: Codec = {
  wireType: varint,
  write: (writer, value) => writer.int64((value as number | undefined) ?? 0),
  read: readInt64,
};

export const int32: Codec = {
  wireType: varint,
  write: (writer, value) => writer.int32((value as number | undefined) ?? 0),
  read: (reader) => reader.int32(),
};

const number: Codec = {
  wireType: fixed64,
  write: (writer, value) => writer.double((value as number | undefined) ?? 0),
  read: (reader) => reader.double(),
};

const bytes: Codec = {
  wireType: lengthDelimited,
  write: (writer, value) => writer.bytes(Buffer.from((value as string | undefined) ?? '', 'base64')),
  read: (reader) => Buffer.from(reader.bytes()).toString('base64'),
};

/** `Quantity { string = 1 }` */
const quantity: Codec = {
  wireType: lengthDelimited,
  write(writer, value) {
    const text = (value as string | undefined) ?? '0';
    writer.fork().uint32(10).string(text).ldelim();
  },
  read(reader) {
    let text = '';
    readFields(reader, endOfMessage(reader), 'Quantity', (field, wireType) => {
      if (field !== 1) return false;
      if (wireType !== lengthDelimited) throw wrongWireType(wireType, 'String_');
      text = reader.string();
      return true;
    });
    return text;
  },
};

/** `IntOrString { type = 1, intVal = 2, strVal = 3 }` */
const intOrString: Codec = {
  wireType: lengthDelimited,
  write(writer, value) {
    const isText = typeof value === 'string';
    writer.fork();
    writer.uint32(8).int32(isText ? 1 : 0);
    writer.uint32(16).int32(isText ? 0 : ((value as number | undefined) ?? 0));
    writer.uint32(26).string(isText ? value : '');
    writer.ldelim();
  },
  read(reader) {
    let type = 0;
    let amount = 0;
    let text = '';
    readFields(reader, endOfMessage(reader), 'IntOrString', (field, wireType) => {
      if (field < 1 || field > 3) return false;
      if (wireType !== (field === 3 ? lengthDelimited : varint)) throw wrongWireType(wireType, ['Type', 'IntVal', 'StrVal'][field - 1]!);
      if (field === 1) type = readInt64(reader);
      else if (field === 2) amount = reader.int32();
      else text = reader.string();
      return true;
    });
    if (type !== 0 && type !== 1) throw new ProtobufError('impossible IntOrString.Type');
    return type === 1 ? text : amount;
  },
};

/** The zero time, which Go writes as an empty message. */
const zeroTimeMs = Date.parse('0001-01-01T00:00:00Z');
const yearTenThousand = 253_402_300_800;
const yearZero = -62_167_219_200;

/** `Timestamp { seconds = 1, nanos = 2 }`; a time has no nanos, a micro-time six digits of them. */
function timeCodec(micro: boolean): Codec {
  return {
    wireType: lengthDelimited,
    write(writer, value) {
      const text = value as string | undefined | null;
      const ms = text === undefined || text === null ? zeroTimeMs : Date.parse(text);
      writer.fork();
      if (ms !== zeroTimeMs) {
        writer.uint32(8).int64(Math.floor(ms / 1000));
        writer.uint32(16).int32(micro ? nanosOf(text!) : 0);
      }
      writer.ldelim();
    },
    read(reader) {
      const end = endOfMessage(reader);
      if (reader.pos === end) return undefined;
      const { seconds, nanos } = readTimestamp(reader, end);
      if (seconds < yearZero || seconds >= yearTenThousand) throw new ProtobufError('year outside of range [0,9999]');
      const iso = new Date(seconds * 1000).toISOString();
      return micro ? iso.replace('.000Z', `.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`) : iso.replace('.000Z', 'Z');
    },
  };
}

function nanosOf(text: string): number {
  return Number((/\.(\d{1,9})/.exec(text)?.[1] ?? '').padEnd(9, '0'));
}

function readTimestamp(reader: Reader, end: number): { seconds: number; nanos: number } {
  let seconds = 0;
  let nanos = 0;
  readFields(reader, end, 'Timestamp', (field, wireType) => {
    if (field > 2) return false;
    if (wireType !== varint) throw wrongWireType(wireType, field === 1 ? 'Seconds' : 'Nanos');
    if (field === 1) seconds = readInt64(reader);
    else nanos = Math.max(0, Math.min(999_999_999, reader.int32()));
    return true;
  });
  return { seconds, nanos };
}

/** `Duration { duration = 1 }`, in nanoseconds. */
const duration: Codec = {
  wireType: lengthDelimited,
  write(writer, value) {
    const text = (value as string | undefined) ?? '0s';
    writer
      .fork()
      .uint32(8)
      .int64(Number(parseDuration(text)))
      .ldelim();
  },
  read(reader) {
    let nanoseconds = 0;
    readFields(reader, endOfMessage(reader), 'Duration', (field, wireType) => {
      if (field !== 1) return false;
      if (wireType !== varint) throw wrongWireType(wireType, 'Duration');
      nanoseconds = readInt64(reader);
      return true;
    });
    return `${nanoseconds}ns`;
  },
};

const raw: Codec = { wireType: lengthDelimited, write: writeRaw, read: readRaw };

export const scalarCodecs: Readonly<Record<ScalarType, Codec>> = {
  string,
  boolean,
  integer: int64,
  int64,
  number,
  bytes,
  quantity,
  intOrString,
  time: timeCodec(false),
  microtime: timeCodec(true),
  duration,
  raw,
  object: raw,
};

function readInt64(reader: Reader): number {
  // A plain number where the library finds no Long, whatever its types say.
  const value: unknown = reader.int64();
  return typeof value === 'number' ? value : (value as { toNumber(): number }).toNumber();
}
