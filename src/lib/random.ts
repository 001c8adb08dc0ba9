// Chance as a parameter: a seeded source replays exactly; the system source is the machine's own.
import { randomBytes, randomFillSync, randomUUID } from 'node:crypto';

export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An RFC 4122 version 4 UUID. */
  uuid(): string;
  /** `length` characters of the alphabet that Kubernetes uses for generated names: no vowels, no look-alikes. */
  suffix(length: number): string;
  bytes(length: number): Buffer;
}

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Fetching from the system is dear, a block costs hardly more than a word: uuid and next take theirs from a store of them. */
export const systemRandom: Random = { ...fromBytes((length) => randomBytes(length), systemNext()), uuid: () => randomUUID() };

/** A replayable source: the same seed gives the same sequence (xoshiro128**). Not for secrets. */
export function seededRandom(seed: number): Random {
  const next = xoshiro128(seed);
  return fromBytes(
    (length) => {
      const bytes = Buffer.allocUnsafe(length);
      for (let i = 0; i < length; i++) bytes[i] = next() & 0xff;
      return bytes;
    },
    () => next() / 2 ** 32,
  );
}

function fromBytes(bytes: (length: number) => Buffer, next: () => number): Random {
  return {
    next,
    bytes,
    uuid() {
      const raw = bytes(16);
      raw[6] = (raw[6]! & 0x0f) | 0x40;
      raw[8] = (raw[8]! & 0x3f) | 0x80;
      const hex = raw.toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
    suffix(length) {
      let text = '';
      for (let i = 0; i < length; i++) text += suffixAlphabet[Math.floor(next() * suffixAlphabet.length)];
      return text;
    },
  };
}

function systemNext(): () => number {
  const words = new Uint32Array(256);
  let used = words.length;
  return () => {
    if (used === words.length) {
      randomFillSync(words);
      used = 0;
    }
    return words[used++]! / 2 ** 32;
  };
}

function xoshiro128(seed: number): () => number {
  const state = new Uint32Array(4);
  // splitmix32 spreads a small seed over the whole state.
  for (let i = 0; i < 4; i++) {
    seed = (seed + 0x9e3779b9) | 0;
    let mixed = seed ^ (seed >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    state[i] = mixed ^ (mixed >>> 15);
  }
  return () => {
    const result = Math.imul(rotate(Math.imul(state[1]!, 5), 7), 9) >>> 0;
    const shifted = state[1]! << 9;
    state[2]! ^= state[0]!;
    state[3]! ^= state[1]!;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= shifted;
    state[3] = rotate(state[3]!, 11);
    return result;
  };
}

function rotate(value: number, bits: number): number {
  return ((value << bits) | (value >>> (32 - bits))) >>> 0;
}
