// Sets of field paths, in the very form that managedFields has them (FieldsV1), so that nothing is parsed: sets are only read, never changed.
// A node that is empty, or has '.', is itself in the set; its other members lead on: `f:name`, `k:{"name":"x"}`, `v:"x"`, `i:0`.

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

type Draft = Record<string, FieldSet>;

/** A path that ends here. */
export const leaf: FieldSet = Object.freeze({});
const self = '.';

/** What leads on from a node, and whether the node is in the set; undefined where there is neither. */
export function nodeOf(children: FieldSet | undefined, isMember: boolean): FieldSet | undefined {
  if (children === undefined) return isMember ? leaf : undefined;
  return isMember ? { [self]: leaf, ...children } : children;
}

export function isMember(node: FieldSet): boolean {
  for (const element in node) return element === self || self in node;
  return true;
}

/** Answers `a` itself where `b` adds nothing. A set that is empty is undefined. */
export function union(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return unionOfNodes(a, b);
}

function unionOfNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isLeaf(b)) return isMember(a) ? a : { [self]: leaf, ...a };
  if (isLeaf(a)) return isMember(b) ? b : { [self]: leaf, ...b };
  let result: Draft | undefined;
  let grew = false;
  for (const element in b) {
    const [mine, theirs] = [a[element], b[element]!];
    if (mine === undefined) grew = true;
    const both = mine === undefined ? theirs : element === self ? mine : unionOfNodes(mine, theirs);
    if (both !== mine) (result ??= { ...a })[element] = both;
  }
  if (result === undefined) return a;
  return grew ? sorted(result) : result;
}

/** The paths of `a` that are not in `b`; answers `a` itself where there are none. */
export function difference(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return a;
  if (isLeaf(a)) return isMember(b) ? undefined : a;
  let result: Draft | undefined;
  if (self in a && isMember(b)) result = without(a, self);
  for (const element in b) {
    const mine = a[element];
    if (mine === undefined || element === self) continue;
    const rest = difference(mine, b[element]);
    if (rest === mine) continue;
    result = rest === undefined ? without(result ?? a, element) : { ...(result ?? a), [element]: rest };
  }
  return result === undefined ? a : tidied(result);
}

/** The paths that are in both. */
export function intersection(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return undefined;
  let children: Draft | undefined;
  for (const element in a) {
    const theirs = b[element];
    if (theirs === undefined || element === self) continue;
    const both = intersection(a[element], theirs);
    if (both !== undefined) (children ??= {})[element] = both;
  }
  return nodeOf(children, isMember(a) && isMember(b));
}

/** All paths, each as its elements: those of a node before those below it. */
export function pathsOf(set: FieldSet | undefined, prefix: readonly string[] = []): string[][] {
  const elements = Object.keys(set ?? {}).filter((element) => element !== self);
  const here = elements.filter((element) => isMember(set![element]!)).map((element) => [...prefix, element]);
  return [...here, ...elements.flatMap((element) => pathsOf(set![element], [...prefix, element]))];
}

/** `.spec.containers[name="nginx"].image`, as messages show it. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('');
}

/** Thrown for FieldsV1 that no server writes. */
export class FieldSetError extends Error {
  override name = 'FieldSetError';
}

/** Checks FieldsV1 that a client sent, and brings it into the order and spelling of this server. */
export function parseFieldSet(value: unknown): FieldSet | undefined {
  const node = parseNode(value);
  return isLeaf(node) ? undefined : node;
}

function parseNode(value: unknown): FieldSet {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new FieldSetError('expected a map of path elements');
  const result: Draft = {};
  for (const [element, below] of Object.entries(value)) result[parseElement(element)] = element === self ? leaf : parseNode(below);
  return tidied(sorted(result)) ?? leaf;
}

function parseElement(element: string): string {
  const [kind, text] = [element.slice(0, 2), element.slice(2)];
  if (element === self || kind === 'f:') return element;
  if (kind === 'i:' && /^-?[0-9]+$/.test(text)) return element;
  if (kind !== 'k:' && kind !== 'v:') throw new FieldSetError(`unknown path element ${JSON.stringify(element)}`);
  const value = parseJson(text);
  if (kind === 'v:') return `v:${JSON.stringify(value)}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new FieldSetError('a key is a map of fields');
  return keyElement(value as Record<string, unknown>);
}

/** `k:{"name":"x"}`, with the names in order. */
function keyElement(key: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(key).sort();
  return `k:{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(key[name])}`).join(',')}}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FieldSetError('a path element is no JSON', { cause: error });
  }
}

function elementText(element: string): string {
  const text = element.slice(2);
  if (element.startsWith('f:')) return `.${text}`;
  if (element.startsWith('v:')) return `[=${text}]`;
  if (element.startsWith('i:')) return `[${text}]`;
  const key = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return `[${key.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}

function isLeaf(node: FieldSet): boolean {
  for (const _ in node) return false;
  return true;
}

function without(node: FieldSet, element: string): Draft {
  const rest: Draft = { ...node };
  delete rest[element];
  return rest;
}

/** Of what is left of a node: nothing, the node alone, or the node as it is. Only called for nodes that had something below them. */
function tidied(node: FieldSet): FieldSet | undefined {
  const elements = Object.keys(node);
  if (elements.length === 0) return undefined;
  return elements.length === 1 && elements[0] === self ? leaf : node;
}

/** Upstream's order: the node itself, then fields, positions, keys and values, each by name. */
export function sorted(node: FieldSet): Draft {
  const result: Draft = {};
  for (const element of Object.keys(node).sort()) result[element] = node[element]!;
  return result;
}
