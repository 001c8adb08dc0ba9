// Entries in key order as short arrays one behind the other: an insertion moves what stands in one of them, not all that follow.
import type { Entry } from './entry.ts';

export interface SortedRun {
  readonly isEmpty: boolean;
  /** In place of the entry with the same key, if there is one. */
  put(entry: Entry): void;
  remove(key: string): void;
  /** The array is the caller's. */
  all(): Entry[];
}

/** Fuller pieces are cut in two. */
const maxPiece = 512;

export function createSortedRun(): SortedRun {
  /** None is empty. */
  const pieces: Entry[][] = [];

  /** The piece in which `key` stands or would stand. */
  const pieceFor = (key: string): number => {
    let low = 0;
    let high = pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (pieces[middle]![0]!.key <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  };

  return {
    get isEmpty() {
      return pieces.length === 0;
    },
    put(entry) {
      if (pieces.length === 0) return void pieces.push([entry]);
      const number = pieceFor(entry.key);
      const piece = pieces[number]!;
      const at = positionIn(piece, entry.key);
      if (piece[at]?.key === entry.key) piece[at] = entry;
      else piece.splice(at, 0, entry);
      if (piece.length > maxPiece) pieces.splice(number + 1, 0, piece.splice(maxPiece / 2));
    },
    remove(key) {
      const number = pieceFor(key);
      const piece = pieces[number];
      if (piece === undefined) return;
      const at = positionIn(piece, key);
      if (piece[at]?.key === key) piece.splice(at, 1);
      if (piece.length === 0) pieces.splice(number, 1);
    },
    all: () => pieces.flat(),
  };
}

/** Where `key` stands or would stand. */
export function positionIn(entries: readonly Entry[], key: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
