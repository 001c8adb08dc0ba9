// Sets of completion indexes as Jobs write them: `1,3-5,7`, in rising order, an interval from two on.

/** The indexes of a text that the API server or the controller wrote; those at or beyond `completions` are left out. */
export function parseIndexes(text: string | undefined, completions: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    if (part === '') continue;
    const [first, last = first] = part.split('-').map(Number);
    for (let index = first!; index <= Math.min(last!, completions - 1); index++) indexes.add(index);
  }
  return indexes;
}

export function formatIndexes(indexes: Iterable<number>): string {
  const parts: string[] = [];
  const sorted = [...indexes].sort((a, b) => a - b);
  for (let i = 0; i < sorted.length; ) {
    const first = sorted[i]!;
    let last = first;
    while (sorted[++i] === last + 1) last++;
    parts.push(first === last ? String(first) : last === first + 1 ? `${first},${last}` : `${first}-${last}`);
  }
  return parts.join(',');
}

/** How many indexes a text from a client names, or what is wrong with it, in upstream's words. */
export function countIndexes(text: string, completions: number): { count: number } | { wrong: string } {
  if (text === '') return { count: 0 };
  let count = 0;
  let before: number | undefined;
  for (const part of text.split(',')) {
    const limits = part.split('-');
    if (limits.length > 2)
      return {
        wrong: `the fragment ${JSON.stringify(part)} violates the requirement that an index interval can have at most two parts separated by '-'`,
      };
    const numbers: number[] = [];
    for (const limit of limits) {
      const found = /^\d+$/.test(limit) ? Number(limit) : undefined;
      if (found === undefined) return { wrong: `cannot convert string to integer for index: ${JSON.stringify(limit)}` };
      if (found >= completions) return { wrong: `too large index: ${JSON.stringify(limit)}` };
      numbers.push(found);
    }
    const [first, last = first] = numbers as [number, number?];
    if (before !== undefined && before >= first) return { wrong: `non-increasing order, previous: ${before}, current: ${first}` };
    if (last! < first || (limits.length === 2 && last === first))
      return { wrong: `non-increasing order, previous: ${first}, current: ${last}` };
    count += last! - first + 1;
    before = last;
  }
  return { count };
}
