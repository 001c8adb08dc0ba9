// How one message travels: its fields by number, made once from the schema. Messages of JSON's embedded fields stand in messages of their own.
import type { Field, FieldType, Message, ScalarType } from '../schema.ts';
import { messageOf } from '../schema.ts';
import type { Codec } from './scalars.ts';
import { int32, scalarCodecs } from './scalars.ts';
import { schemaPropsCodec } from './schema-props.ts';
import type { Reader, Writer } from './wire.ts';
import { checkEnd, endGroup, endOfMessage, lengthDelimited, ProtobufError, readFields, skipField, wrongWireType } from './wire.ts';

type Value = Record<string, unknown>;

interface FieldPlan {
  name: string;
  tag: number;
  codec: Codec;
  shape: 'one' | 'list' | 'map' | 'embedded';
  /** Absent ones are not written; all others are, even as zero. */
  optional: boolean;
  /** JSON leaves out its zero value. */
  omitZero: boolean;
}

export interface MessagePlan {
  name: string;
  /** In the order of their numbers. */
  fields: FieldPlan[];
  byTag: Map<number, FieldPlan>;
}

/** Messages nested deeper than this are refused: only schemas nest at all without end. */
export const maxNesting = 1000;

/** Scalars that Go's `omitempty` leaves out; structs it never does. */
const plainScalars: ReadonlySet<ScalarType> = new Set(['string', 'boolean', 'integer', 'int64', 'number', 'bytes']);

/** Derived from constants only, once a message. */
const plans = new WeakMap<Message, MessagePlan>();

export function planOf(message: Message): MessagePlan {
  const known = plans.get(message);
  if (known !== undefined) return known;
  const plan: MessagePlan = { name: localName(message.name), fields: [], byTag: new Map() };
  // Set before its fields are looked at: some messages hold themselves.
  plans.set(message, plan);
  const elsewhere = new Set(message.embedded.flatMap((embedded) => [...messageOf(embedded.message).fields.keys()]));
  for (const field of message.fields.values()) {
    if (field.number > 0 && !elsewhere.has(field.name)) plan.fields.push(fieldPlan(field, message.name));
  }
  for (const embedded of message.embedded) {
    const codec = messageCodec(embedded.message);
    const tag = (embedded.number << 3) | lengthDelimited;
    const name = localName(embedded.message);
    plan.fields.push({ name, tag, codec, shape: 'embedded', optional: false, omitZero: false });
  }
  plan.fields.sort((a, b) => a.tag - b.tag);
  for (const field of plan.fields) plan.byTag.set(field.tag, field);
  return plan;
}

export function writeMessage(plan: MessagePlan, writer: Writer, value: Value): void {
  for (const field of plan.fields) {
    const { tag, codec } = field;
    if (field.shape === 'embedded') {
      writer.uint32(tag);
      codec.write(writer, value);
      continue;
    }
    const item = value[field.name];
    if (item === undefined || item === null) {
      if (field.optional) continue;
      writer.uint32(tag);
      codec.write(writer, undefined);
    } else if (field.shape === 'one') {
      writer.uint32(tag);
      codec.write(writer, item);
    } else if (field.shape === 'list') {
      for (const each of item as unknown[]) {
        writer.uint32(tag);
        codec.write(writer, each ?? undefined);
      }
    } else writeMap(field, writer, item as Value);
  }
}

/** Entries of key = 1 and value = 2, in the order of their keys. */
function writeMap({ tag, codec }: FieldPlan, writer: Writer, value: Value): void {
  for (const key of Object.keys(value).sort()) {
    writer.uint32(tag).fork().uint32(10).string(key);
    writer.uint32((2 << 3) | codec.wireType);
    codec.write(writer, value[key] ?? undefined);
    writer.ldelim();
  }
}

/** Fills `into` with the fields that end at `end`. */
export function readMessage(plan: MessagePlan, reader: Reader, end: number, depth: number, into: Value): void {
  if (depth <= 0) throw new ProtobufError('exceeded max depth');
  const { byTag } = plan;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = byTag.get(tag);
    if (field === undefined) {
      readUnexpected(plan, reader, tag, depth, into);
      continue;
    }
    if (field.shape === 'one') {
      const value = field.codec.read(reader, depth - 1);
      if (value !== undefined && !(field.omitZero && isZero(value))) into[field.name] = value;
      // What stands last counts.
      else if (field.name in into) delete into[field.name];
    } else if (field.shape === 'list') {
      const list = (into[field.name] ??= []) as unknown[];
      list.push(field.codec.read(reader, depth - 1) ?? null);
    } else if (field.shape === 'map') readEntry(field, reader, depth, (into[field.name] ??= {}) as Value);
    else Object.assign(into, field.codec.read(reader, depth - 1));
  }
  checkEnd(reader, end);
}

/** A field of a later version, numbers in a row, or a field of another type. */
function readUnexpected(plan: MessagePlan, reader: Reader, tag: number, depth: number, into: Value): void {
  const field = plan.fields.find((each) => each.tag >>> 3 === tag >>> 3);
  const wireType = tag & 7;
  if (field === undefined || wireType === endGroup) skipField(reader, tag, plan.name);
  else if (field.shape === 'list' && wireType === lengthDelimited) readPacked(field, reader, depth, into);
  else throw wrongWireType(wireType, goName(field.name));
}

/** Numbers one after the other without tags. */
function readPacked(field: FieldPlan, reader: Reader, depth: number, into: Value): void {
  const end = endOfMessage(reader);
  const list = (into[field.name] ??= []) as unknown[];
  while (reader.pos < end) list.push(field.codec.read(reader, depth));
  checkEnd(reader, end);
}

function readEntry({ name, codec }: FieldPlan, reader: Reader, depth: number, into: Value): void {
  let key = '';
  let value: unknown;
  readFields(reader, endOfMessage(reader), name, (number, wireType) => {
    if (number > 2) return false;
    if (wireType !== (number === 1 ? lengthDelimited : codec.wireType)) throw wrongWireType(wireType, goName(name));
    if (number === 1) key = reader.string();
    else value = codec.read(reader, depth - 1);
    return true;
  });
  // Assigning to this name would change the object's prototype.
  if (key === '__proto__') Object.defineProperty(into, key, { value: value ?? null, enumerable: true, configurable: true, writable: true });
  else into[key] = value ?? null;
}

function fieldPlan(field: Field, messageName: string): FieldPlan {
  const { type, name, number } = field;
  const shape = 'list' in type ? 'list' : 'map' in type ? 'map' : 'one';
  const codec =
    schemaPropsCodec(messageName, name, messageCodec) ?? codecOf('list' in type ? type.list : 'map' in type ? type.map : type, field);
  const isBytes = 'scalar' in type && type.scalar === 'bytes';
  return {
    name,
    // The entries of a map are messages.
    tag: (number << 3) | (shape === 'map' ? lengthDelimited : codec.wireType),
    codec,
    shape,
    optional: shape !== 'one' || field.pointer === true || isBytes,
    omitZero: field.omitEmpty === true && field.pointer !== true && 'scalar' in type && plainScalars.has(type.scalar),
  };
}

function codecOf(type: FieldType, field: Field): Codec {
  // Lists in maps stand in a message of one field: ExtraValue.
  if ('list' in type) return listMessageCodec(codecOf(type.list, field));
  if ('message' in type) return messageCodec(type.message);
  if ('map' in type) throw new TypeError(`${field.name}: a map of maps has no protobuf form`);
  return type.scalar === 'integer' && field.int32 === true ? int32 : scalarCodecs[type.scalar];
}

function messageCodec(name: string): Codec {
  let plan: MessagePlan | undefined;
  return {
    wireType: lengthDelimited,
    write(writer, value) {
      writer.fork();
      writeMessage((plan ??= planOf(messageOf(name))), writer, (value ?? {}) as Value);
      writer.ldelim();
    },
    read(reader, depth) {
      const into: Value = {};
      readMessage((plan ??= planOf(messageOf(name))), reader, endOfMessage(reader), depth, into);
      return into;
    },
  };
}

function listMessageCodec(item: Codec): Codec {
  return {
    wireType: lengthDelimited,
    write(writer, value) {
      writer.fork();
      for (const each of (value ?? []) as unknown[]) {
        writer.uint32((1 << 3) | item.wireType);
        item.write(writer, each);
      }
      writer.ldelim();
    },
    read(reader, depth) {
      const list: unknown[] = [];
      readFields(reader, endOfMessage(reader), 'ExtraValue', (number, wireType) => {
        if (number !== 1) return false;
        if (wireType !== item.wireType) throw wrongWireType(wireType, 'Items');
        list.push(item.read(reader, depth - 1));
        return true;
      });
      return list;
    },
  };
}

function isZero(value: unknown): boolean {
  return value === 0 || value === false || value === '';
}

/** The Go struct's name for it, as errors have it. */
function goName(name: string): string {
  return name === 'metadata' ? 'ObjectMeta' : name.charAt(0).toUpperCase() + name.slice(1);
}

function localName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
