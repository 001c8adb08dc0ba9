// Objects by key and by named indexes: the informer's memory. It holds the very objects it is given, never copies.
import type { KubeObject } from '#api/meta/object.ts';
import { keyOf } from '#api/meta/object.ts';

/** Answers the values that an object is found under; must depend on the object alone. */
export type IndexFunction<T> = (object: T) => readonly string[];

export interface ObjectCache<T extends KubeObject> {
  readonly size: number;
  get(key: string): T | undefined;
  list(): T[];
  keys(): MapIterator<string>;
  byIndex(index: string, value: string): T[];
  /** How many objects stand under the value, without listing them. */
  countByIndex(index: string, value: string): number;
  /** Adding the same function under the same name again does nothing. */
  addIndex(name: string, valuesOf: IndexFunction<T>): void;
  /** Answers the object that was replaced. */
  set(object: T): T | undefined;
  remove(key: string): T | undefined;
}

interface Index<T> {
  valuesOf: IndexFunction<T>;
  objects: Map<string, Set<T>>;
}

export function createObjectCache<T extends KubeObject>(): ObjectCache<T> {
  const objects = new Map<string, T>();
  const indexes = new Map<string, Index<T>>();

  const under = (name: string, value: string): Set<T> | undefined => {
    const index = indexes.get(name);
    if (index === undefined) throw new Error(`no index named ${name}`);
    return index.objects.get(value);
  };

  return {
    get size() {
      return objects.size;
    },
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    keys: () => objects.keys(),
    byIndex: (name, value) => [...(under(name, value) ?? [])],
    countByIndex: (name, value) => under(name, value)?.size ?? 0,
    addIndex(name, valuesOf) {
      const existing = indexes.get(name);
      if (existing?.valuesOf === valuesOf) return;
      if (existing !== undefined) throw new Error(`another index is named ${name}`);
      const index: Index<T> = { valuesOf, objects: new Map() };
      for (const object of objects.values()) insert(index, object);
      indexes.set(name, index);
    },
    set(object) {
      const key = keyOf(object);
      const old = objects.get(key);
      objects.set(key, object);
      for (const index of indexes.values()) {
        if (old !== undefined) withdraw(index, old);
        insert(index, object);
      }
      return old;
    },
    remove(key) {
      const old = objects.get(key);
      if (old === undefined) return undefined;
      objects.delete(key);
      for (const index of indexes.values()) withdraw(index, old);
      return old;
    },
  };
}

function insert<T>(index: Index<T>, object: T): void {
  for (const value of index.valuesOf(object)) {
    const set = index.objects.get(value);
    if (set === undefined) index.objects.set(value, new Set([object]));
    else set.add(object);
  }
}

function withdraw<T>(index: Index<T>, object: T): void {
  for (const value of index.valuesOf(object)) {
    const set = index.objects.get(value);
    set?.delete(object);
    if (set?.size === 0) index.objects.delete(value);
  }
}
