// What a write did: the paths whose values it set or changed, and those that it took away. Written for objects that share most of their parts.
import { sameValue } from '../same-value.ts';
import type { FieldSet } from './field-set.ts';
import { leaf, nodeOf, sorted } from './field-set.ts';
import { elementOf, isSameItem, valueElement } from './list-items.ts';
import type { ListMap, MapOf, Shape, Struct } from './shape.ts';

export interface Difference {
  /** Added or modified; what is new is named with everything in it. */
  readonly changed: FieldSet | undefined;
  readonly removed: FieldSet | undefined;
}

type Values = Readonly<Record<string, unknown>>;
type Draft = Record<string, FieldSet>;

const nothing: Values = Object.freeze({});
const noItems: readonly unknown[] = Object.freeze([]);
const changedLeaf: Difference = { changed: leaf, removed: undefined };
const removedLeaf: Difference = { changed: undefined, removed: leaf };

/** Undefined: nothing changed. `old` may be undefined: all of `next` is new. */
export function compareObjects(shape: Shape, old: object | undefined, next: object): Difference | undefined {
  return compare(shape, old ?? nothing, next);
}

function compare(shape: Shape, old: unknown, next: unknown): Difference | undefined {
  if (old === next) return undefined;
  switch (shape.kind) {
    case 'leaf':
      return sameValue(old, next) ? undefined : changedLeaf;
    case 'struct':
      return compareFields(shape, old as Values, next as Values);
    case 'map':
      return compareEntries(shape, old as Values, next as Values);
    case 'deduced':
      if (isMap(old) && isMap(next)) return compareEntries({ kind: 'map', item: shape }, old, next);
      return sameValue(old, next) ? undefined : changedLeaf;
    case 'set':
      return compareSets(old as readonly unknown[], next as readonly unknown[]);
    case 'list':
      return compareItems(shape, old as readonly unknown[], next as readonly unknown[]);
  }
}

function compareFields(struct: Struct, old: Values, next: Values): Difference | undefined {
  const found = new Collector();
  for (const name in next) {
    const [before, after] = [old[name], next[name]];
    if (before === after || isAbsent(after)) continue;
    const field = struct.field(name);
    if (field === undefined) continue;
    if (!isAbsent(before)) found.add(`f:${name}`, compare(field.shape, before, after));
    else found.add(`f:${name}`, field.always ? compare(field.shape, emptyOf(field.shape), after) : added(field.shape, after));
  }
  for (const name in old) {
    const before = old[name];
    if (isAbsent(before) || !isAbsent(next[name])) continue;
    const field = struct.field(name);
    if (field === undefined) continue;
    found.add(`f:${name}`, field.always ? compare(field.shape, before, emptyOf(field.shape)) : removed(field.shape, before));
  }
  return found.result();
}

function compareEntries({ item }: MapOf, old: Values, next: Values): Difference | undefined {
  const found = new Collector();
  for (const name in next) {
    const [before, after] = [old[name], next[name]];
    if (before === after || isAbsent(after)) continue;
    found.add(`f:${name}`, isAbsent(before) ? added(item, after) : compare(item, before, after));
  }
  for (const name in old) {
    if (!isAbsent(old[name]) && isAbsent(next[name])) found.add(`f:${name}`, removed(item, old[name]));
  }
  return found.result();
}

function compareSets(old: readonly unknown[], next: readonly unknown[]): Difference | undefined {
  const found = new Collector();
  for (const item of next) if (!old.includes(item)) found.add(valueElement(item), changedLeaf);
  for (const item of old) if (!next.includes(item)) found.add(valueElement(item), removedLeaf);
  return found.result();
}

function compareItems(list: ListMap, old: readonly unknown[], next: readonly unknown[]): Difference | undefined {
  const found = new Collector();
  if (old.length === next.length && old.every((item, position) => isSameItem(list, item, next[position]))) {
    for (const [position, item] of next.entries()) {
      const change = compare(list.item, old[position], item);
      if (change !== undefined) found.add(elementOf(list, item), change);
    }
    return found.result();
  }
  const before = new Map(old.map((item) => [elementOf(list, item), item]));
  for (const item of next) {
    const element = elementOf(list, item);
    found.add(element, before.has(element) ? compare(list.item, before.get(element), item) : added(list.item, item));
    before.delete(element);
  }
  for (const [element, item] of before) found.add(element, removed(list.item, item));
  return found.result();
}

function added(shape: Shape, value: unknown): Difference {
  return { changed: everythingIn(shape, value), removed: undefined };
}

function removed(shape: Shape, value: unknown): Difference {
  return { changed: undefined, removed: everythingIn(shape, value) };
}

/** A value's own path and all below it. */
function everythingIn(shape: Shape, value: unknown): FieldSet {
  return nodeOf(everythingBelow(shape, value), true)!;
}

function everythingBelow(shape: Shape, value: unknown): FieldSet | undefined {
  switch (shape.kind) {
    case 'leaf':
      return undefined;
    case 'struct':
      return childrenOf(value as Values, (name) => shape.field(name)?.shape);
    case 'map':
      return childrenOf(value as Values, () => shape.item);
    case 'deduced':
      return isMap(value) ? childrenOf(value, () => shape) : undefined;
    case 'set':
      return inOrder(Object.fromEntries((value as readonly unknown[]).map((item) => [valueElement(item), leaf])));
    case 'list': {
      const items: Draft = {};
      for (const item of value as readonly unknown[]) items[elementOf(shape, item)] = everythingIn(shape.item, item);
      return inOrder(items);
    }
  }
}

function childrenOf(values: Values, shapeOf: (name: string) => Shape | undefined): FieldSet | undefined {
  const children: Draft = {};
  for (const name in values) {
    const shape = shapeOf(name);
    const value = values[name];
    if (shape !== undefined && !isAbsent(value)) children[`f:${name}`] = shape.kind === 'leaf' ? leaf : everythingIn(shape, value);
  }
  return inOrder(children);
}

class Collector {
  #changed: Draft | undefined;
  #removed: Draft | undefined;

  add(element: string, below: Difference | undefined): void {
    if (below?.changed !== undefined) (this.#changed ??= {})[element] = below.changed;
    if (below?.removed !== undefined) (this.#removed ??= {})[element] = below.removed;
  }

  result(): Difference | undefined {
    if (this.#changed === undefined && this.#removed === undefined) return undefined;
    return { changed: this.#changed && inOrder(this.#changed), removed: this.#removed && inOrder(this.#removed) };
  }
}

/** The elements in the order in which sets have them; undefined: there are none. */
export function inOrder(children: Draft): FieldSet | undefined {
  let previous = '';
  for (const element in children) {
    if (element < previous) return sorted(children);
    previous = element;
  }
  return previous === '' ? undefined : children;
}

function emptyOf(shape: Shape): unknown {
  return shape.kind === 'list' || shape.kind === 'set' ? noItems : shape.kind === 'leaf' ? undefined : nothing;
}

export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

export function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
