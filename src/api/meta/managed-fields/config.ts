// An applied configuration as structured merge takes it: the paths that it names, what it makes of the live object, and what goes because it is no longer named.
import type { FieldSet } from './field-set.ts';
import { isMember, leaf, nodeOf } from './field-set.ts';
import { inOrder, isAbsent, isMap } from './compare.ts';
import { elementOf, isSameItem, valueElement } from './list-items.ts';
import type { ListMap, Shape } from './shape.ts';

type Values = Readonly<Record<string, unknown>>;

/** The paths that a configuration names: what its manager will own. */
export function fieldsOf(shape: Shape, config: object): FieldSet | undefined {
  return fieldsBelow(shape, config);
}

function fieldsBelow(shape: Shape, value: unknown): FieldSet | undefined {
  const children: Record<string, FieldSet> = {};
  switch (shape.kind) {
    case 'leaf':
      return undefined;
    case 'struct':
    case 'map':
      for (const [name, item] of Object.entries((value ?? {}) as Values)) {
        const below = shape.kind === 'map' ? shape.item : shape.field(name)?.shape;
        const node = below && fieldNode(below, item, shape.kind === 'map' || isEmpty(item));
        if (node !== undefined) children[`f:${name}`] = node;
      }
      break;
    case 'deduced':
      return isMap(value) ? fieldsBelow({ kind: 'map', item: shape }, value) : undefined;
    case 'set':
      for (const item of (value ?? []) as unknown[]) children[valueElement(item)] = leaf;
      break;
    case 'list':
      for (const item of (value ?? []) as unknown[]) children[elementOf(shape, item)] = fieldNode(shape.item, item, true)!;
  }
  return inOrder(children);
}

function fieldNode(shape: Shape, value: unknown, isNamed: boolean): FieldSet | undefined {
  const isWhole = shape.kind === 'leaf' || (shape.kind === 'deduced' && !isMap(value));
  return nodeOf(fieldsBelow(shape, value), isNamed || isWhole);
}

function isEmpty(value: unknown): boolean {
  return value === null || (isMap(value) && Object.keys(value).length === 0);
}

/** The live value with the configuration laid over it. Shares what stays with both. */
export function mergeConfig(shape: Shape, live: unknown, config: unknown): unknown {
  if (isAbsent(live)) return config;
  switch (shape.kind) {
    case 'leaf':
      return config;
    case 'deduced':
      return isMap(live) && isMap(config) ? mergeMaps(live, config, () => shape) : config;
    case 'struct':
      return isAbsent(config) ? live : mergeMaps(live as Values, config as Values, (name) => shape.field(name)?.shape);
    case 'map':
      return isAbsent(config) ? live : mergeMaps(live as Values, config as Values, () => shape.item);
    case 'set':
    case 'list':
      return isAbsent(config) ? live : mergeLists(shape, live as unknown[], config as unknown[]);
  }
}

function mergeMaps(live: Values, config: Values, shapeFor: (name: string) => Shape | undefined): Values {
  const merged: Record<string, unknown> = { ...live };
  for (const name of Object.keys(config)) {
    const shape = shapeFor(name);
    merged[name] = shape === undefined ? config[name] : mergeConfig(shape, live[name], config[name]);
  }
  return merged;
}

/** The configuration gives the order of what it names; the live items that it does not name keep their places among the others. */
function mergeLists(shape: ListMap | Extract<Shape, { kind: 'set' }>, live: readonly unknown[], config: readonly unknown[]): unknown[] {
  const isSame = (a: unknown, b: unknown) => (shape.kind === 'set' ? a === b : isSameItem(shape, a, b));
  const merged: unknown[] = [];
  let next = 0;
  const takeNext = () => {
    const item = config[next++];
    const before = shape.kind === 'list' ? live.find((other) => isSame(other, item)) : undefined;
    merged.push(shape.kind === 'list' ? mergeConfig(shape.item, before, item) : item);
  };
  for (const item of live) {
    const place = config.findIndex((other) => isSame(other, item));
    if (place < 0) merged.push(item);
    // What the configuration names before this one comes before it.
    else while (next <= place) takeNext();
  }
  while (next < config.length) takeNext();
  return merged;
}

/** `value` without what the manager applied `last`, and nobody owns now. */
export function withoutUnowned(shape: Shape, value: unknown, last: FieldSet, owned: FieldSet | undefined): unknown {
  if (isAbsent(value)) return value;
  if (shape.kind === 'set' || shape.kind === 'list') return listWithoutUnowned(shape, value as readonly unknown[], last, owned);
  if (shape.kind === 'leaf' || !isMap(value)) return value;
  const result: Record<string, unknown> = { ...value };
  for (const [element, lastNode] of Object.entries(last)) {
    const name = element.slice(2);
    if (!element.startsWith('f:') || !(name in result)) continue;
    const isStruct = shape.kind === 'struct';
    const below = isStruct ? shape.field(name) : undefined;
    // Fields of a struct count as owned with anything below them.
    const goes = (isStruct || isMember(lastNode)) && !isOwned(owned?.[element], isStruct);
    const isMetadata = isStruct && name === 'metadata' && below?.always === true;
    if (goes && !isMetadata) delete result[name];
    else {
      const inner = shape.kind === 'map' ? shape.item : shape.kind === 'deduced' ? shape : below?.shape;
      if (inner !== undefined) result[name] = withoutUnowned(inner, result[name], lastNode, owned?.[element]);
    }
  }
  return result;
}

function listWithoutUnowned(
  shape: ListMap | Extract<Shape, { kind: 'set' }>,
  items: readonly unknown[],
  last: FieldSet,
  owned: FieldSet | undefined,
): unknown[] {
  const left: unknown[] = [];
  for (const item of items) {
    const element = shape.kind === 'set' ? valueElement(item) : elementOf(shape, item);
    const lastNode = last[element];
    if (lastNode !== undefined && isMember(lastNode) && !isOwned(owned?.[element], false)) continue;
    const isPartOfLast = shape.kind === 'list' && lastNode !== undefined;
    left.push(isPartOfLast ? withoutUnowned(shape.item, item, lastNode, owned?.[element]) : item);
  }
  return left;
}

function isOwned(node: FieldSet | undefined, withAnythingBelow: boolean): boolean {
  return node !== undefined && (withAnythingBelow || isMember(node));
}
