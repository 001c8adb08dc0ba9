// A watch over HTTP: lines of JSON, one event each, handed over in the batches in which they arrive.
import type { ClientHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import { StringDecoder } from 'node:string_decoder';
import type { Status } from '#api/meta/errors.ts';
import { ApiError } from '#api/meta/errors.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { freeze } from '#api/meta/object.ts';
import type { WatchEvent, WatchHandle } from './client.ts';
import { errorFrom } from './http-error.ts';
import type { Http2Pool, HttpRequest } from './http2-pool.ts';

export function openWatchStream<T extends KubeObject>(
  pool: Http2Pool,
  request: HttpRequest,
  handler: (events: WatchEvent<T>[]) => void,
): WatchHandle {
  const done = Promise.withResolvers<Error | undefined>();
  let stream: ClientHttp2Stream | undefined;
  let isClosed = false;
  pool.open(request).then((opened) => {
    stream = opened;
    if (isClosed) opened.close(constants.NGHTTP2_CANCEL);
    else follow(opened, handler, done.resolve);
  }, done.resolve);
  return {
    done: done.promise,
    close() {
      isClosed = true;
      done.resolve(undefined);
      stream?.close(constants.NGHTTP2_CANCEL);
    },
  };
}

function follow<T extends KubeObject>(
  stream: ClientHttp2Stream,
  handler: (events: WatchEvent<T>[]) => void,
  end: (error: Error | undefined) => void,
): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let failedStatus = 0;
  stream.on('response', (headers) => {
    const status = Number(headers[constants.HTTP2_HEADER_STATUS] ?? 0);
    if (status >= 400) failedStatus = status;
  });
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop()!;
    if (failedStatus !== 0) {
      rest = [...lines, rest].join('\n');
      return;
    }
    try {
      const events: WatchEvent<T>[] = [];
      const error = parseInto(events, lines);
      if (events.length > 0) handler(events);
      if (error !== undefined) {
        end(error);
        stream.close(constants.NGHTTP2_CANCEL);
      }
    } catch (error) {
      end(error as Error);
      stream.close(constants.NGHTTP2_CANCEL);
    }
  });
  stream.on('error', end);
  stream.on('end', () => end(failedStatus === 0 ? undefined : errorFrom(failedStatus, rest)));
  stream.on('close', () => end(new Error('the watch was cut off')));
}

/** Answers the error of an ERROR event, with which a watch ends. */
function parseInto<T extends KubeObject>(events: WatchEvent<T>[], lines: string[]): Error | undefined {
  for (const line of lines) {
    if (line === '') continue;
    const { type, object } = JSON.parse(line) as { type: string; object: T };
    if (type === 'ERROR') return new ApiError(object as unknown as Status);
    if (type === 'BOOKMARK') {
      const initial = object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true';
      events.push({ type, resourceVersion: object.metadata.resourceVersion!, initial });
    } else events.push({ type: type as 'ADDED' | 'MODIFIED' | 'DELETED', object: freeze(object) });
  }
  return undefined;
}
