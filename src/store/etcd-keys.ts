// Keys and ranges as etcd takes them.
import type { EtcdConnection } from './etcd-connection.ts';
import { EtcdCompacted } from './etcd-connection.ts';
import type { EtcdKeyValue } from './etcd-messages.ts';
import { prefixEnd } from './sorted-keys.ts';
import { CompactedError } from './store.ts';
import type { KeyValue } from './store.ts';

/** One zero byte: as a key the first of all, as the end of a range none. */
const zero = Buffer.of(0);

export interface KeyRange {
  key: Buffer;
  range_end: Buffer;
}

/** The keys that start with `prefix`, after `after` if given. */
export function rangeOf(prefix: string, after?: string): KeyRange {
  const end = prefixEnd(prefix);
  const from = after !== undefined && after >= prefix ? `${after}\0` : prefix;
  return { key: from === '' ? zero : Buffer.from(from), range_end: end === undefined ? zero : Buffer.from(end) };
}

export function toKeyValue({ key, value, mod_revision }: EtcdKeyValue): KeyValue {
  return { key: key.toString(), value, revision: mod_revision };
}

/** Runs a read; where its revision is compacted, finds out to where and says so. */
export async function orCompacted<T>(connection: EtcdConnection, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof EtcdCompacted) throw new CompactedError(await compactedRevisionOf(connection));
    throw error;
  }
}

/** etcd names it only to a watch that starts too early. */
export async function compactedRevisionOf(connection: EtcdConnection): Promise<number> {
  // As watches of the past do, it goes to the current member; a read that was just answered says that it lives.
  const { stream } = connection.watch({ key: zero, range_end: zero, start_revision: 1 });
  const answer = Promise.withResolvers<number>();
  stream.on('data', ({ compact_revision: revision }: { compact_revision: number }) => revision > 0 && answer.resolve(revision));
  stream.on('error', answer.reject);
  stream.on('end', () => answer.reject(new Error('etcd ended the watch')));
  try {
    return await answer.promise;
  } finally {
    stream.cancel();
  }
}
