// One stored object as all its readers share it: the frozen object beside its bytes, both made once per revision.
import type { KubeObject } from '#api/meta/object.ts';
import { freeze } from '#api/meta/object.ts';

export interface Entry<T extends KubeObject = KubeObject> {
  readonly key: string;
  /** Frozen, with its resourceVersion. */
  readonly object: T;
  readonly revision: number;
  /** As stored until someone reads the bytes, from then on with the resourceVersion spliced in. */
  encoded: Buffer;
  spliced: boolean;
}

const metadataStart = Buffer.from('"metadata":{');

/** `object` is what `value` encodes, where the caller has it already; it becomes the entry's own. */
export function createEntry<T extends KubeObject>(key: string, value: Buffer, revision: number, object?: T): Entry<T> {
  const own = object ?? (JSON.parse(value.toString()) as T);
  own.metadata.resourceVersion = String(revision);
  return { key, object: freeze(own), revision, encoded: value, spliced: false };
}

/** The object as JSON, with its resourceVersion. Shared: never changed. */
export function bytesOf(entry: Entry): Buffer {
  if (!entry.spliced) {
    entry.encoded = splice(entry.encoded, entry.revision);
    entry.spliced = true;
  }
  return entry.encoded;
}

/** The object's JSON behind its opening brace, without kind and apiVersion: how upstream writes the items of a list. */
export function itemBytesOf(entry: Entry): Buffer {
  const bytes = bytesOf(entry);
  return bytes.subarray(bytes.indexOf(metadataStart));
}

/** The same object at the revision that deleted it, as watchers see it go. */
export function entryAt(entry: Entry, revision: number): Entry {
  const metadata = Object.freeze({ ...entry.object.metadata, resourceVersion: String(revision) });
  const object = Object.freeze({ ...entry.object, metadata });
  return { key: entry.key, object, revision, encoded: storedBytesOf(entry), spliced: false };
}

/** Encodes an object for the store: kind, apiVersion and metadata first, without resourceVersion. */
export function encode(object: KubeObject): Buffer {
  return Buffer.from(JSON.stringify(object));
}

/** A shallow copy in the key order that the store's values have; metadata is the copy's own and has no resourceVersion. */
export function orderForStore<T extends KubeObject>(object: T, type: { kind: string; apiVersion: string }): T {
  const ordered: Record<string, unknown> = { kind: type.kind, apiVersion: type.apiVersion, metadata: { ...object.metadata } };
  for (const key of Object.keys(object)) {
    if (key !== 'kind' && key !== 'apiVersion' && key !== 'metadata') ordered[key] = (object as unknown as Record<string, unknown>)[key];
  }
  const metadata = (ordered as unknown as KubeObject).metadata;
  delete metadata.resourceVersion;
  delete metadata.selfLink;
  return ordered as unknown as T;
}

/** An entry for an object that was not stored: what a dry run answers. */
export function draftEntry(key: string, object: KubeObject, revision: number): Entry {
  const value = encode(object);
  if (revision > 0) return createEntry(key, value, revision, object);
  return { key, object: freeze(object), revision, encoded: value, spliced: true };
}

function splice(value: Buffer, revision: number): Buffer {
  const at = value.indexOf(metadataStart) + metadataStart.length;
  const text = `"resourceVersion":"${revision}",`;
  const spliced = Buffer.allocUnsafe(value.length + text.length);
  value.copy(spliced, 0, 0, at);
  spliced.write(text, at, 'latin1');
  value.copy(spliced, at + text.length, at);
  return spliced;
}

function storedBytesOf(entry: Entry): Buffer {
  if (!entry.spliced) return entry.encoded;
  const at = entry.encoded.indexOf(metadataStart) + metadataStart.length;
  const behind = at + `"resourceVersion":"${entry.revision}",`.length;
  return Buffer.concat([entry.encoded.subarray(0, at), entry.encoded.subarray(behind)]);
}
