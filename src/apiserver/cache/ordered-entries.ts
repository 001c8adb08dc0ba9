// A resource's entries in key order without sorting on reads: one sorted run per namespace.
import type { Entry } from './entry.ts';
import type { SortedRun } from './sorted-run.ts';
import { createSortedRun } from './sorted-run.ts';

export interface OrderedEntries {
  readonly size: number;
  get(key: string): Entry | undefined;
  /** Answers what the key held before. */
  put(entry: Entry): Entry | undefined;
  remove(key: string): Entry | undefined;
  /** In ascending byte order of their keys; the array is the caller's. */
  list(namespace?: string): Entry[];
}

/** `prefix` is what all keys start with; the namespace, if there is one, follows up to the next slash. */
export function createOrderedEntries(prefix: string, namespaced: boolean): OrderedEntries {
  const byKey = new Map<string, Entry>();
  const runs = new Map<string, SortedRun>();
  // Ordered by `namespace/`, as their keys are: "a-b/" sorts before "a/".
  const namespaces: string[] = [];

  const namespaceOf = (key: string): string => (namespaced ? key.slice(prefix.length, key.indexOf('/', prefix.length)) : '');

  const runOf = (namespace: string): SortedRun => {
    let run = runs.get(namespace);
    if (run === undefined) {
      run = createSortedRun();
      runs.set(namespace, run);
      const at = namespaces.findIndex((other) => `${other}/` > `${namespace}/`);
      namespaces.splice(at < 0 ? namespaces.length : at, 0, namespace);
    }
    return run;
  };

  return {
    get size() {
      return byKey.size;
    },
    get: (key) => byKey.get(key),
    put(entry) {
      const previous = byKey.get(entry.key);
      byKey.set(entry.key, entry);
      runOf(namespaceOf(entry.key)).put(entry);
      return previous;
    },
    remove(key) {
      const previous = byKey.get(key);
      if (previous === undefined) return undefined;
      byKey.delete(key);
      const namespace = namespaceOf(key);
      const run = runs.get(namespace)!;
      run.remove(key);
      if (run.isEmpty) {
        runs.delete(namespace);
        namespaces.splice(namespaces.indexOf(namespace), 1);
      }
      return previous;
    },
    list(namespace) {
      if (namespace !== undefined && namespaced) return runs.get(namespace)?.all() ?? [];
      if (namespaces.length === 1) return runs.get(namespaces[0]!)!.all();
      return namespaces.flatMap((name) => runs.get(name)!.all());
    },
  };
}
