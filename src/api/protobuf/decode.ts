// A protobuf body → the object in its JSON form, still to be brought into shape as any JSON body.
import type { Message } from '../schema.ts';
import type { Envelope } from './envelope.ts';
import { maxNesting, planOf, readMessage } from './message-plan.ts';
import { reading } from './wire.ts';

/** The message's JSON form, with the apiVersion and kind that the envelope names. Throws a ProtobufError. */
export function decodeEnvelope(envelope: Envelope, message: Message): Record<string, unknown> {
  const { apiVersion, kind, raw } = envelope;
  return { ...(apiVersion !== '' && { apiVersion }), ...(kind !== '' && { kind }), ...decodeMessage(message, raw) };
}

/** Unknown fields are skipped. Throws a ProtobufError. */
export function decodeMessage(message: Message, bytes: Uint8Array): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  reading(bytes, (reader) => readMessage(planOf(message), reader, reader.len, maxNesting, value));
  return value;
}
