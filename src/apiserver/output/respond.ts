// Turns results into HTTP answers: cached bytes go out as they are, other forms are made on the way; big ones are compressed.
import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import { ApiError, internalError } from '#api/meta/errors.ts';
import type { Status } from '#api/meta/errors.ts';
import { protobufType } from '#api/protobuf/wire.ts';
import type { Entry } from '../cache/entry.ts';
import { bytesOf, itemBytesOf } from '../cache/entry.ts';
import type { Listing } from '../endpoints/list.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { entryIn } from '../registry/versions.ts';
import type { Format } from './negotiate.ts';
import { contentTypeOf } from './negotiate.ts';
import { partialMetadata, partialMetadataList } from './partial-metadata.ts';
import { protobufBodyOf, protobufListOf, protobufStatus } from './protobuf.ts';
import type { TableOptions } from './table.ts';
import { tableOf } from './table.ts';

const compress = promisify(gzip);
const compressFromBytes = 128 * 1024;
const chunkBytes = 512 * 1024;
const newline = Buffer.from('\n');
const itemOpening = Buffer.from('{');
const nextItem = Buffer.from(',{');
const listEnd = Buffer.from(']}\n');

export interface Answer {
  request: HttpRequest;
  format: Format;
  status: number;
}

export async function respondEntry(resource: ServedResource, entry: Entry, answer: Answer, table: TableOptions): Promise<HttpResponse> {
  const { form, encoding, pretty } = answer.format;
  const { object } = entryIn(resource, entry);
  const metadata = { resourceVersion: object.metadata.resourceVersion };
  if (form === 'table') return await respondObject(tableOf(resource, [entry.object], metadata, table), answer);
  if (form === 'metadata') return await respondObject(partialMetadata(object), answer);
  if (encoding !== 'json' || pretty) return await respondObject(object, answer);
  return await finish([bytesOf(entryIn(resource, entry)), newline], answer);
}

export async function respondListing(
  resource: ServedResource,
  listing: Listing,
  answer: Answer,
  table: TableOptions,
): Promise<HttpResponse> {
  const { form, encoding, pretty } = answer.format;
  const metadata = {
    resourceVersion: String(listing.revision),
    ...(listing.continue !== undefined && { continue: listing.continue }),
    ...(listing.remainingItemCount !== undefined && { remainingItemCount: listing.remainingItemCount }),
  };
  if (form === 'table') {
    const kept = listing.entries.map((entry) => entry.object);
    return await respondObject(tableOf(resource, kept, metadata, table), answer);
  }
  const entries = resource.conversion === undefined ? listing.entries : listing.entries.map((entry) => entryIn(resource, entry));
  const objects = () => entries.map((entry) => entry.object);
  if (form === 'metadata') return await respondObject(partialMetadataList(objects(), metadata), answer);
  const head = { kind: `${resource.type.kind}List`, apiVersion: resource.apiVersion, metadata };
  if (encoding === 'protobuf') return await finish(joinChunks(protobufListOf(head, objects())), answer);
  if (encoding === 'yaml' || pretty) return await respondObject({ ...head, items: objects() }, answer);
  const opening = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`);
  return await finish(joinItems(opening, entries), answer);
}

export async function respondObject(object: object, answer: Answer): Promise<HttpResponse> {
  const { encoding, pretty } = answer.format;
  if (encoding === 'protobuf') return await finish([protobufBodyOf(object)], answer);
  const text =
    encoding === 'yaml'
      ? stringify(object, { sortMapEntries: true, version: '1.1' })
      : `${JSON.stringify(object, null, pretty ? 2 : undefined)}\n`;
  return await finish([Buffer.from(text)], answer);
}

/** In JSON, which every client reads, or in protobuf for those who want that first. */
export function respondError(error: unknown, request: HttpRequest): HttpResponse {
  const { status } = toApiError(error);
  const retryAfter = status.details?.retryAfterSeconds;
  const protobuf = protobufStatus(request, status);
  return {
    status: status.code,
    headers: { 'content-type': protobuf ? protobufType : 'application/json', ...(retryAfter && { 'retry-after': String(retryAfter) }) },
    body: protobuf ?? Buffer.from(`${JSON.stringify(status)}\n`),
  };
}

export function toApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : internalError(tellable(error), { cause: error });
}

/** What the store or the network says helps a client; what our own slips say is the log's. */
function tellable(error: unknown): string {
  const isSlip = error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError || !(error instanceof Error);
  return isSlip ? 'the request failed; see the log of the server' : error.message;
}

/** What deletes and other deeds without an object answer. */
export function successStatus(details?: Status['details']): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', ...(details && { details }) };
}

function joinItems(opening: Buffer, entries: readonly Entry[]): Buffer[] {
  const parts: Buffer[] = [opening];
  for (const [position, entry] of entries.entries()) parts.push(position === 0 ? itemOpening : nextItem, itemBytesOf(entry));
  parts.push(listEnd);
  return joinChunks(parts);
}

/** Joined into few big buffers: sockets, TLS most of all, dislike thousands of small ones. */
function joinChunks(all: readonly Buffer[]): Buffer[] {
  const chunks: Buffer[] = [];
  let parts: Buffer[] = [];
  let size = 0;
  for (const part of all) {
    parts.push(part);
    size += part.length;
    if (size < chunkBytes) continue;
    chunks.push(Buffer.concat(parts));
    parts = [];
    size = 0;
  }
  chunks.push(Buffer.concat(parts));
  return chunks;
}

async function finish(body: Buffer[], answer: Answer): Promise<HttpResponse> {
  const headers = { 'content-type': contentTypeOf(answer.format), 'cache-control': 'no-cache, private' };
  const size = body.reduce((sum, chunk) => sum + chunk.length, 0);
  if (size < compressFromBytes || !/\bgzip\b/.test(answer.request.headers['accept-encoding'] ?? '')) {
    return { status: answer.status, headers, body };
  }
  const compressed = await compress(body.length === 1 ? body[0]! : Buffer.concat(body), { level: 1 });
  return { status: answer.status, headers: { ...headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }, body: compressed };
}
