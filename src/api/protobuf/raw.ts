// Values of free form: a message with one field that holds their JSON (RawExtension, FieldsV1, JSON of schemas).
import { maxDepth, scanJson, tooDeep } from '../meta/json-scan.ts';
import type { Reader, Writer } from './wire.ts';
import { endOfMessage, lengthDelimited, ProtobufError, readFields, wrongWireType } from './wire.ts';

export function writeRaw(writer: Writer, value: unknown): void {
  writer.fork();
  if (value !== undefined && value !== null) writer.uint32(10).string(JSON.stringify(value));
  writer.ldelim();
}

export function readRaw(reader: Reader): unknown {
  let text = '';
  readFields(reader, endOfMessage(reader), 'RawExtension', (field, wireType) => {
    if (field !== 1) return false;
    if (wireType !== lengthDelimited) throw wrongWireType(wireType, 'Raw');
    text = reader.string();
    return true;
  });
  return text === '' ? undefined : parse(text);
}

function parse(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProtobufError(`couldn't get version/kind; json parse error: ${(error as Error).message}`, { cause: error });
  }
  if (scanJson(text).depth > maxDepth) throw new ProtobufError(tooDeep);
  return value;
}
