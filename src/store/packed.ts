// Many byte strings as one ArrayBuffer: it crosses to another thread by transfer, without copying each.

export interface Packed {
  bytes: ArrayBuffer;
  /** Where each ends; -1: undefined. */
  ends: number[];
}

export function pack(values: readonly (Uint8Array | undefined)[]): Packed {
  let size = 0;
  for (const value of values) size += value?.length ?? 0;
  const bytes = new Uint8Array(size);
  const ends: number[] = [];
  let offset = 0;
  for (const value of values) {
    if (value !== undefined) {
      bytes.set(value, offset);
      offset += value.length;
    }
    ends.push(value === undefined ? -1 : offset);
  }
  return { bytes: bytes.buffer, ends };
}

export function unpack({ bytes, ends }: Packed): (Buffer | undefined)[] {
  let start = 0;
  return ends.map((end) => {
    if (end < 0) return undefined;
    const value = Buffer.from(bytes, start, end - start);
    start = end;
    return value;
  });
}
