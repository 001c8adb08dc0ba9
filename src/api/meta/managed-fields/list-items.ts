// How the items of lists are told apart: by key fields, or by their own value.
import type { ListMap } from './shape.ts';

type Item = Readonly<Record<string, unknown>>;

/** The path element of an item: `k:{"name":"nginx"}`. */
export function elementOf(list: ListMap, item: unknown): string {
  let text = '';
  for (const name of list.keys) {
    const value = keyOf(list, item, name);
    if (value !== undefined) text += `${text === '' ? '' : ','}"${name}":${JSON.stringify(value)}`;
  }
  return `k:{${text}}`;
}

/** Whether two items are one and the same, without spelling their elements out. */
export function isSameItem(list: ListMap, a: unknown, b: unknown): boolean {
  for (const name of list.keys) if (keyOf(list, a, name) !== keyOf(list, b, name)) return false;
  return true;
}

/** The path element of an item of a set. */
export function valueElement(item: unknown): string {
  return `v:${JSON.stringify(item)}`;
}

function keyOf(list: ListMap, item: unknown, name: string): unknown {
  return (item as Item | null)?.[name] ?? list.defaults[name];
}
