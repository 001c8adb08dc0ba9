// Kubernetes' protobuf form of an object → the JSON form, by the generated table of fields.
import protobuf from 'protobufjs/minimal.js';
import { type Field, type FieldType, type Message, messageForKind, messageOf, type ScalarType } from '#api/schema.ts';

/** What bodies start with: `k8s`, 0, then a runtime.Unknown that names the kind and holds the message. */
const magic = Buffer.from([0x6b, 0x38, 0x73, 0]);
const maxDepth = 64;

export class ProtobufError extends Error {
  override name = 'ProtobufError';
}

export function decodeObject(body: Buffer): Record<string, unknown> {
  if (!body.subarray(0, 4).equals(magic))
    throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  try {
    return decodeUnknown(body.subarray(4));
  } catch (error) {
    // Whatever the reader or the JSON within stumbles over is the sender's fault.
    throw error instanceof ProtobufError ? error : new ProtobufError(`unable to decode the message: ${String(error)}`, { cause: error });
  }
}

function decodeUnknown(bytes: Buffer): Record<string, unknown> {
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = Buffer.alloc(0);
  eachField(bytes, (number, reader) => {
    if (number === 2) raw = reader.bytes();
    else if (number === 1) {
      eachField(reader.bytes(), (part, inner) => {
        if (part === 1) apiVersion = inner.string();
        else if (part === 2) kind = inner.string();
        else return false;
        return true;
      });
    } else return false;
    return true;
  });
  const message = messageForKind(apiVersion, kind);
  if (!message) throw new ProtobufError(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return { apiVersion, kind, ...decodeMessage(message, raw, 0) };
}

/** Calls `read` for every field; it answers false for one that it does not know. */
function eachField(bytes: Uint8Array, read: (number: number, reader: protobuf.Reader, wireType: number) => boolean): void {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (!read(tag >>> 3, reader, tag & 7)) reader.skipType(tag & 7);
  }
}

/** Fields by their protobuf number, worked out once a message: the table never changes. */
const byNumber = new WeakMap<Message, Map<number, Field>>();

function fieldsOf(message: Message): Map<number, Field> {
  const known = byNumber.get(message);
  if (known) return known;
  const inlined = new Set(message.embedded.flatMap((each) => [...messageOf(each.message).fields.keys()]));
  const fields = [...message.fields.values()].filter((field) => field.number > 0 && !inlined.has(field.name));
  const numbered = new Map(fields.map((field) => [field.number, field]));
  byNumber.set(message, numbered);
  return numbered;
}

function decodeMessage(message: Message, bytes: Uint8Array, depth: number): Record<string, unknown> {
  if (depth > maxDepth) throw new ProtobufError('the message is nested too deeply');
  const object: Record<string, unknown> = {};
  const fields = fieldsOf(message);
  eachField(bytes, (number, reader, wireType) => {
    const embedded = message.embedded.find((each) => each.number === number);
    if (embedded) {
      Object.assign(object, decodeMessage(messageOf(embedded.message), reader.bytes(), depth + 1));
      return true;
    }
    const field = fields.get(number);
    if (!field) return false;
    readField(object, field, { reader, wireType, depth });
    return true;
  });
  return object;
}

interface Place {
  reader: protobuf.Reader;
  wireType: number;
  depth: number;
}

function readField(object: Record<string, unknown>, field: Field, place: Place): void {
  const { type, name } = field;
  if ('list' in type) {
    const list = (object[name] ??= []) as unknown[];
    if (place.wireType === 2 && isVarint(type.list)) {
      const end = place.reader.uint32() + place.reader.pos;
      while (place.reader.pos < end) list.push(readValue(type.list, place));
    } else list.push(readValue(type.list, place));
  } else if ('map' in type) {
    const map = (object[name] ??= {}) as Record<string, unknown>;
    const [key, value] = readEntry(type.map, place);
    // A name such as __proto__ is a key like any other.
    Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    const value = readValue(type, place);
    // Go writes zero values of fields that are no pointers: in JSON they are left out.
    const zero = value === undefined || (field.omitEmpty && !field.pointer && (value === '' || value === 0 || value === false));
    if (!zero) object[name] = value;
  }
}

function isVarint(type: FieldType): boolean {
  return 'scalar' in type && ['integer', 'int64', 'boolean'].includes(type.scalar);
}

function readEntry(type: FieldType, { reader, depth }: Place): [string, unknown] {
  let key = '';
  let value: unknown;
  eachField(reader.bytes(), (number, inner, wireType) => {
    if (number === 1) key = inner.string();
    else if (number !== 2) return false;
    else value = 'list' in type ? readItems(type.list, inner, depth) : readValue(type, { reader: inner, wireType, depth });
    return true;
  });
  return [key, value ?? emptyOf(type)];
}

/** A list in a map is a message of its own: `items` = 1. */
function readItems(type: FieldType, reader: protobuf.Reader, depth: number): unknown[] {
  const items: unknown[] = [];
  eachField(reader.bytes(), (number, inner, wireType) => {
    if (number !== 1) return false;
    items.push(readValue(type, { reader: inner, wireType, depth }));
    return true;
  });
  return items;
}

function emptyOf(type: FieldType): unknown {
  if ('list' in type) return [];
  return 'scalar' in type ? '' : {};
}

function readValue(type: FieldType, place: Place): unknown {
  if ('message' in type) return decodeMessage(messageOf(type.message), place.reader.bytes(), place.depth + 1);
  if ('scalar' in type) return readScalar(type.scalar, place.reader);
  throw new ProtobufError('a list of lists has no protobuf form');
}

function readScalar(scalar: ScalarType, reader: protobuf.Reader): unknown {
  switch (scalar) {
    case 'string':
      return reader.string();
    case 'integer':
    case 'int64':
      return Number(reader.int64());
    case 'boolean':
      return reader.bool();
    case 'number':
      return reader.double();
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64');
    case 'quantity':
      return parts(reader.bytes()).get(1) ?? '0';
    case 'intOrString': {
      const found = parts(reader.bytes());
      return found.get(1) === 1 ? (found.get(3) ?? '') : (found.get(2) ?? 0);
    }
    case 'time':
    case 'microtime':
      return timeOf(parts(reader.bytes()), scalar);
    case 'duration':
      return `${Number(parts(reader.bytes()).get(1) ?? 0) / 1e9}s`;
    default: {
      const raw = parts(reader.bytes()).get(1);
      return raw === undefined || raw === '' ? undefined : (JSON.parse(String(raw)) as unknown);
    }
  }
}

/** The fields of a small message of numbers and texts. */
function parts(bytes: Uint8Array): Map<number, string | number> {
  const found = new Map<number, string | number>();
  eachField(bytes, (number, reader, wireType) => {
    if (wireType === 0) found.set(number, Number(reader.int64()));
    else if (wireType === 2) found.set(number, reader.string());
    else return false;
    return true;
  });
  return found;
}

/** An empty message is Go's zero time, which JSON leaves out. */
function timeOf(found: Map<number, string | number>, scalar: 'time' | 'microtime'): string | undefined {
  const seconds = found.get(1);
  if (seconds === undefined) return undefined;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  if (scalar === 'time') return `${whole}Z`;
  return `${whole}.${String(Math.floor(Number(found.get(2) ?? 0) / 1000)).padStart(6, '0')}Z`;
}
