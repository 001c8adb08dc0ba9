// Objects in protobuf: made once for each, however many read it, list it or watch it.
import type { Status } from '#api/meta/errors.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { encodeObject, hasProtobuf, inEnvelope, listInEnvelope, watchFrame } from '#api/protobuf/encode.ts';
import { protobufType } from '#api/protobuf/wire.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
import { acceptedTypes } from '../paths.ts';

/** Of frozen objects only, and as long as they live: the same for whoever asks. */
const messages = new WeakMap<object, Buffer>();

/** Custom resources have no protobuf form. */
export function isBuiltIn(type: { group: string; version: string; kind: string }): boolean {
  return hasProtobuf(apiVersionOf(type), type.kind);
}

export function protobufBodyOf(object: { apiVersion?: string; kind?: string }): Buffer {
  return inEnvelope(object.apiVersion!, object.kind!, messageOf(object));
}

export function protobufListOf(head: { apiVersion: string; kind: string; metadata: object }, items: readonly KubeObject[]): Buffer[] {
  return listInEnvelope(head, items.map(messageOf));
}

export function protobufFrame(type: string, object: { apiVersion?: string; kind?: string }): Buffer {
  return watchFrame(type, protobufBodyOf(object));
}

/** The status as a client reads it that wants protobuf before anything else; undefined for all others. */
export function protobufStatus(request: HttpRequest, status: Status): Buffer | undefined {
  return acceptedTypes(request)[0]?.type === protobufType ? protobufBodyOf(status) : undefined;
}

function messageOf(object: { apiVersion?: string; kind?: string }): Buffer {
  const known = messages.get(object);
  if (known !== undefined) return known;
  const made = encodeObject(object);
  if (Object.isFrozen(object)) messages.set(object, made);
  return made;
}
