// The envelope of every protobuf body: four bytes that say what it is, and a runtime.Unknown that says of what kind.
import type { Reader } from './wire.ts';
import { endOfMessage, lengthDelimited, ProtobufError, readFields, reading, writing, wrongWireType } from './wire.ts';

export interface Envelope {
  apiVersion: string;
  kind: string;
  /** The message itself. */
  raw: Uint8Array;
}

const prefix = Buffer.from('k8s\0');
const nothing = new Uint8Array();

/** Field numbers of runtime.Unknown and its TypeMeta. */
const numbers = { typeMeta: 1, raw: 2, contentEncoding: 3, contentType: 4, apiVersion: 1, kind: 2 } as const;
const tagOf = (number: number): number => (number << 3) | lengthDelimited;

/** Throws a ProtobufError. */
export function openEnvelope(body: Buffer): Envelope {
  if (body.length === 0) throw new ProtobufError('empty data');
  if (!body.subarray(0, prefix.length).equals(prefix)) {
    throw new ProtobufError(`provided data does not appear to be a protobuf message, expected prefix [${[...prefix].join(' ')}]`);
  }
  if (body.length === prefix.length) throw new ProtobufError('empty body');
  return reading(body.subarray(prefix.length), readUnknown);
}

/** What stands before and behind `rawLength` bytes of a message. */
export function envelopeAround(apiVersion: string, kind: string, rawLength: number): { head: Buffer; tail: Buffer } {
  const head = writing((writer) => {
    writer.uint32(tagOf(numbers.typeMeta)).fork();
    writer.uint32(tagOf(numbers.apiVersion)).string(apiVersion);
    writer.uint32(tagOf(numbers.kind)).string(kind).ldelim();
    writer.uint32(tagOf(numbers.raw)).uint32(rawLength);
  });
  // Neither encoded nor of another type: written all the same, as upstream does.
  const tail = Buffer.from([tagOf(numbers.contentEncoding), 0, tagOf(numbers.contentType), 0]);
  return { head: Buffer.concat([prefix, head]), tail };
}

function readUnknown(reader: Reader): Envelope {
  const envelope: Envelope = { apiVersion: '', kind: '', raw: nothing };
  readFields(reader, reader.len, 'Unknown', (number, wireType) => {
    if (number > numbers.contentType) return false;
    if (wireType !== lengthDelimited) throw wrongWireType(wireType, ['TypeMeta', 'Raw', 'ContentEncoding', 'ContentType'][number - 1]!);
    if (number === numbers.typeMeta) readTypeMeta(reader, envelope);
    else if (number === numbers.raw) envelope.raw = reader.bytes();
    else return false;
    return true;
  });
  return envelope;
}

function readTypeMeta(reader: Reader, envelope: Envelope): void {
  readFields(reader, endOfMessage(reader), 'TypeMeta', (number, wireType) => {
    if (number > numbers.kind) return false;
    if (wireType !== lengthDelimited) throw wrongWireType(wireType, number === numbers.kind ? 'Kind' : 'APIVersion');
    if (number === numbers.kind) envelope.kind = reader.string();
    else envelope.apiVersion = reader.string();
    return true;
  });
}
