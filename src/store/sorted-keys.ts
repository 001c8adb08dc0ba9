// Keys in byte order, as etcd sorts them. Keys are ASCII, so comparing UTF-16 units is the same.

/** The first position whose key is not below `key`; with `behind`, the first whose key is above it. */
export function positionOf(keys: readonly string[], key: string, behind = false): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = keys[middle]!;
    if (other < key || (behind && other === key)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first key behind all that start with `prefix`; undefined if there is none. */
export function prefixEnd(prefix: string): string | undefined {
  return prefix === '' ? undefined : prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
