// An object of a built-in kind → protobuf, byte by byte as an upstream server writes it.
import type { Message } from '../schema.ts';
import { messageForKind, messageOf } from '../schema.ts';
import { envelopeAround } from './envelope.ts';
import { planOf, writeMessage } from './message-plan.ts';
import { writing } from './wire.ts';

/** Whether objects of that kind can be written at all: built-in ones only. */
export function hasProtobuf(apiVersion: string, kind: string): boolean {
  return messageForKind(apiVersion, kind) !== undefined;
}

/** The message alone, without envelope. */
export function encodeMessage(message: Message, value: object): Buffer {
  return writing((writer) => writeMessage(planOf(message), writer, value as Record<string, unknown>));
}

/** The message of an object that says its kind. Throws where the kind is not built in. */
export function encodeObject(object: { apiVersion?: string; kind?: string }): Buffer {
  const { apiVersion = '', kind = '' } = object;
  const message = messageForKind(apiVersion, kind);
  if (message === undefined) throw new TypeError(`${kind} in version ${apiVersion} has no protobuf form`);
  return encodeMessage(message, object);
}

/** A body: the message of that kind in its envelope. */
export function inEnvelope(apiVersion: string, kind: string, message: Buffer): Buffer {
  const { head, tail } = envelopeAround(apiVersion, kind, message.length);
  return Buffer.concat([head, message, tail]);
}

/** The body of a list whose items are encoded already, in parts that belong together. */
export function listInEnvelope(list: { apiVersion: string; kind: string; metadata: object }, items: readonly Buffer[]): Buffer[] {
  const metadata = lengthPrefixed(1, encodeMessage(messageOf('meta/v1.ListMeta'), list.metadata));
  const parts = [metadata, ...items.flatMap((item) => [tagAndLength(2, item.length), item])];
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const { head, tail } = envelopeAround(list.apiVersion, list.kind, size);
  return [head, ...parts, tail];
}

/** One frame of a watch: its length, and a WatchEvent that holds the object in its envelope. */
export function watchFrame(type: string, body: Buffer): Buffer {
  const event = writing((writer) => {
    writer.uint32(10).string(type);
    writer.uint32(18).fork().uint32(10).bytes(body).ldelim();
  });
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.length);
  return Buffer.concat([length, event]);
}

function lengthPrefixed(number: number, message: Buffer): Buffer {
  return Buffer.concat([tagAndLength(number, message.length), message]);
}

function tagAndLength(number: number, length: number): Buffer {
  return writing((writer) => writer.uint32((number << 3) | 2).uint32(length));
}
