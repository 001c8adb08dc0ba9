// The fields of JSON schemas that may hold one of two things: the schema table knows them as free-form values only.
import type { Codec } from './scalars.ts';
import { scalarCodecs } from './scalars.ts';
import { endOfMessage, lengthDelimited, readFields, varint, wrongWireType } from './wire.ts';

const owner = 'apiextensions/v1.JSONSchemaProps';

/** The codec of such a field; undefined for all others. */
export function schemaPropsCodec(message: string, field: string, messageCodec: (name: string) => Codec): Codec | undefined {
  if (message !== owner) return undefined;
  if (field === 'items') return union(scalarListOf(messageCodec(owner)));
  if (field === 'additionalProperties' || field === 'additionalItems') return union(boolOr(messageCodec(owner)));
  return field === 'dependencies' ? union(stringsOr(messageCodec(owner))) : undefined;
}

interface Alternative {
  number: number;
  codec: Codec;
  /** Many of them make a list. */
  repeated: boolean;
  /** Whether a JSON value is of this alternative. */
  holds(value: unknown): boolean;
  /** Written beside it. */
  always?: { number: number; codec: Codec; value: unknown };
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
const { string, boolean } = scalarCodecs;

/** `JSONSchemaPropsOrArray { schema = 1, jSONSchemas = 2 }` */
function scalarListOf(schema: Codec): Alternative[] {
  return [
    { number: 1, codec: schema, repeated: false, holds: isObject },
    { number: 2, codec: schema, repeated: true, holds: Array.isArray },
  ];
}

/** `JSONSchemaPropsOrBool { allows = 1, schema = 2 }`: a schema is allowed, too. */
function boolOr(schema: Codec): Alternative[] {
  return [
    { number: 1, codec: boolean, repeated: false, holds: (value) => typeof value === 'boolean' },
    { number: 2, codec: schema, repeated: false, holds: isObject, always: { number: 1, codec: boolean, value: true } },
  ];
}

/** `JSONSchemaPropsOrStringArray { schema = 1, property = 2 }` */
function stringsOr(schema: Codec): Alternative[] {
  return [
    { number: 1, codec: schema, repeated: false, holds: isObject },
    { number: 2, codec: string, repeated: true, holds: Array.isArray },
  ];
}

function union(alternatives: Alternative[]): Codec {
  return {
    wireType: lengthDelimited,
    write(writer, value) {
      writer.fork();
      const found = alternatives.find(({ holds }) => holds(value));
      for (const { number, codec, given } of found === undefined ? [] : partsOf(found, value)) {
        writer.uint32((number << 3) | codec.wireType);
        codec.write(writer, given);
      }
      writer.ldelim();
    },
    read(reader, depth) {
      let result: unknown;
      readFields(reader, endOfMessage(reader), 'JSONSchemaProps', (number, wireType) => {
        const found = alternatives.find((each) => each.number === number);
        if (found === undefined) return false;
        if (wireType !== found.codec.wireType) throw wrongWireType(wireType, wireType === varint ? 'Schema' : 'Allows');
        const value = found.codec.read(reader, depth - 1);
        if (found.repeated) result = [...(Array.isArray(result) ? (result as unknown[]) : []), value];
        // Behind a schema, the flag says nothing.
        else if (!isObject(result)) result = value;
        return true;
      });
      return result;
    },
  };
}

function partsOf({ number, codec, repeated, always }: Alternative, value: unknown): { number: number; codec: Codec; given: unknown }[] {
  const parts = (repeated ? (value as unknown[]) : [value]).map((given) => ({ number, codec, given }));
  return always === undefined ? parts : [{ number: always.number, codec: always.codec, given: always.value }, ...parts];
}
