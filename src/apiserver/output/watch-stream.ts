// A watch as an HTTP body: frames made once an event and shared by all its watchers, written as fast as the client reads.
import type { StreamSink } from '#lib/http/exchange.ts';
import type { Entry } from '../cache/entry.ts';
import { bytesOf } from '../cache/entry.ts';
import type { SelectedEvent } from '../cache/watchers.ts';
import type { WatchSink } from '../endpoints/watch.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { entryIn } from '../registry/versions.ts';
import type { Format } from './negotiate.ts';
import { partialMetadata } from './partial-metadata.ts';
import { protobufFrame } from './protobuf.ts';
import { toApiError } from './respond.ts';
import type { IncludeObject } from './table.ts';
import { tableOf, tableRowOnly } from './table.ts';

export interface WatchStream {
  sink: WatchSink;
  /** Writes until the watch is over or `signal` says that the client went away. Rejects when the client reads too slowly. */
  run(output: StreamSink, signal: AbortSignal): Promise<void>;
}

export interface WatchStreamOptions {
  resource: ServedResource;
  form: Format['form'];
  /** YAML is none for watches: JSON then. */
  encoding: Format['encoding'];
  include: IncludeObject;
  now: () => number;
  /** Called once when the stream needs no more events. */
  close: () => void;
}

/** A client that lets more than this pile up is cut off: it can come back and resume, and nobody else has waited for it. */
const maxPendingBytes = 8 * 2 ** 20;
/** Initial objects that are encoded and written in one go. */
const initialBatch = 128;

type Frame = Buffer | (() => Buffer);

export function createWatchStream(options: WatchStreamOptions): WatchStream {
  const encodeFrame = frameEncoder(options);
  const frameOf = options.encoding === 'protobuf' ? protobufFrame : jsonFrame;
  let queue: Frame[] = [];
  let pendingBytes = 0;
  let over = false;
  let wake: (() => void) | undefined;
  let cutOff: (reason: Error) => void = () => {};
  const tooSlow = new Promise<never>((_, reject) => {
    cutOff = reject;
  });
  // Nobody listens where the watch ends before it runs.
  tooSlow.catch(() => {});

  const push = (frame: Frame) => {
    if (over) return;
    queue.push(frame);
    if (typeof frame !== 'function') pendingBytes += frame.length;
    if (pendingBytes > maxPendingBytes) {
      queue = [];
      cutOff(new Error('the client reads too slowly'));
      finish();
    }
    wake?.();
  };
  const finish = () => {
    over = true;
    options.close();
    wake?.();
  };

  const sink: WatchSink = {
    initial(entries) {
      for (let from = 0; from < entries.length; from += initialBatch) {
        const batch = entries.slice(from, from + initialBatch);
        push(() => Buffer.concat(batch.map((entry) => encodeFrame.entry('ADDED', entry))));
      }
    },
    events(events) {
      for (const event of events) push(encodeFrame.event(event));
    },
    bookmark: (revision, initialEnd) => push(encodeFrame.bookmark(revision, initialEnd)),
    ended(error) {
      if (error !== undefined) push(frameOf('ERROR', toApiError(error).status));
      finish();
    },
  };

  const run = async (output: StreamSink, signal: AbortSignal): Promise<void> => {
    signal.addEventListener('abort', finish, { once: true });
    while (!signal.aborted) {
      const frames = queue;
      queue = [];
      pendingBytes = 0;
      for (const chunk of batches(frames)) {
        if (signal.aborted) return;
        if (!output.write(chunk)) await Promise.race([output.drained(), tooSlow]);
      }
      if (queue.length > 0) continue;
      if (over) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
      // Whatever else happens in this turn goes out in the same write.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    signal.removeEventListener('abort', finish);
    output.end();
  };
  return { sink, run };
}

/** Encoded frames together, frames yet to be made one by one. */
function* batches(frames: Frame[]): Generator<Buffer[]> {
  let ready: Buffer[] = [];
  for (const frame of frames) {
    if (typeof frame !== 'function') {
      ready.push(frame);
      continue;
    }
    if (ready.length > 0) yield ready;
    ready = [];
    yield [frame()];
  }
  if (ready.length > 0) yield ready;
}

interface FrameEncoder {
  entry(type: string, entry: Entry): Buffer;
  event(event: SelectedEvent): Buffer;
  bookmark(revision: number, initialEnd: boolean): Buffer;
}

function frameEncoder({ resource, form, encoding, include, now }: WatchStreamOptions): FrameEncoder {
  let hasColumns = false;
  const frameOf = encoding === 'protobuf' ? protobufFrame : jsonFrame;
  const frame = (type: string, kept: Entry): Buffer => {
    if (form === 'table') return frameOf(type, tableRowOnly(resource, kept.object, { include, now: now() }));
    const entry = entryIn(resource, kept);
    if (form === 'metadata') return frameOf(type, partialMetadata(entry.object));
    if (encoding === 'protobuf') return protobufFrame(type, entry.object);
    return Buffer.concat([openingOf(type), bytesOf(entry), closing]);
  };
  // The first frame of a table carries the columns, so it is this watcher's own.
  const firstOfTable = (type: string, entry: Entry): Buffer | undefined => {
    if (form !== 'table' || hasColumns) return undefined;
    hasColumns = true;
    const { object } = entry;
    const table = tableOf(resource, [object], { resourceVersion: object.metadata.resourceVersion }, { include, now: now() });
    return jsonFrame(type, table);
  };
  const plainShape = form === 'table' ? `table/${include}` : encoding === 'protobuf' ? `protobuf/${form}` : form;
  const shape = resource.conversion === undefined ? plainShape : `${resource.apiVersion}/${plainShape}`;
  return {
    entry: (type, entry) => firstOfTable(type, entry) ?? frame(type, entry),
    event({ type, entry, event }) {
      const own = firstOfTable(type, entry);
      if (own !== undefined) return own;
      const name = `${type}/${shape}`;
      event.frames ??= new Map();
      const known = event.frames.get(name);
      if (known !== undefined) return known;
      const made = frame(type, entry);
      event.frames.set(name, made);
      return made;
    },
    bookmark(revision, initialEnd) {
      const metadata = { resourceVersion: String(revision), ...(initialEnd && { annotations: { 'k8s.io/initial-events-end': 'true' } }) };
      const kind = form === 'metadata' ? 'PartialObjectMetadata' : resource.type.kind;
      const apiVersion = form === 'metadata' ? 'meta.k8s.io/v1' : resource.apiVersion;
      const object =
        form === 'table'
          ? { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: null, rows: tableBookmarkRows(resource, metadata) }
          : { kind, apiVersion, metadata };
      return frameOf('BOOKMARK', object);
    },
  };
}

/** client-go finds the annotation of a bookmark only in the row's object. */
function tableBookmarkRows(resource: ServedResource, metadata: object): object[] {
  const cells = resource.columns.map(() => '');
  return [{ cells, object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata } }];
}

function jsonFrame(type: string, object: object): Buffer {
  return Buffer.from(`${JSON.stringify({ type, object })}\n`);
}

const closing = Buffer.from('}\n');
const openings: ReadonlyMap<string, Buffer> = new Map(
  ['ADDED', 'MODIFIED', 'DELETED'].map((type) => [type, Buffer.from(`{"type":"${type}","object":`)]),
);
const openingOf = (type: string): Buffer => openings.get(type)!;
