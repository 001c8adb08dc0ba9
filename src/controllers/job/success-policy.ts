// When an Indexed Job is a success before all its indexes are done: as soon as one rule holds.
import { parseIndexes } from '#api/batch/completion-indexes.ts';
import type { Job } from '#api/generated/batch-v1.ts';

/** Why it is one; undefined: it is not. */
export function metRule({ spec }: Job, completed: ReadonlySet<number>): string | undefined {
  const position = (spec.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    const named = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, spec.completions ?? 0);
    const done = named === undefined ? completed.size : [...named].filter((index) => completed.has(index)).length;
    return done >= (succeededCount ?? named?.size ?? Infinity);
  });
  return position < 0 ? undefined : `Matched rules at index ${position}`;
}
