// How a strategic merge patch merges one list into another: by a key, or as a set of plain values.
import { badRequest, failure } from '../errors.ts';
import { isEqual } from '../meta-validation.ts';
import type { JsonObject } from './json-object.ts';
import { doesNotApply, isJsonObject } from './json-object.ts';

export interface ListRules {
  /** Unset: a list of plain values. */
  mergeKey?: string;
  merge(current: JsonObject, change: JsonObject): JsonObject;
  fresh(change: unknown): unknown;
  order(
    items: readonly unknown[],
    identity: (item: unknown) => unknown,
    patchOrder: readonly unknown[],
    live: readonly unknown[],
  ): unknown[];
}

export function mergeList(current: readonly unknown[], patch: readonly unknown[], rules: ListRules): unknown[] {
  if ([...current, ...patch].some(Array.isArray)) throw doesNotApply(new Error('lists of lists are not supported'));
  if (rules.mergeKey === undefined) return mergePrimitives(current, patch, rules);
  return mergeByKey(current, patch, rules.mergeKey, rules);
}

export function deleteFromPrimitives(current: readonly unknown[], values: readonly unknown[]): unknown[] {
  return current.filter((item) => !values.includes(item));
}

function mergePrimitives(current: readonly unknown[], patch: readonly unknown[], rules: ListRules): unknown[] {
  if (patch.some(isJsonObject)) throw badRequest('invalid patch format of primitive list');
  const merged = [...new Set([...current, ...patch])];
  return rules.order(merged, (item) => item, patch, current);
}

function mergeByKey(current: readonly unknown[], patch: readonly unknown[], mergeKey: string, rules: ListRules): unknown[] {
  const changes = patch.map((item) => {
    if (!isJsonObject(item)) throw badRequest(`expected a map, but received a ${typeof item}`);
    return item;
  });
  const keyed = (item: unknown): unknown => (isJsonObject(item) ? item[mergeKey] : undefined);
  const plain = changes.filter((change) => change['$patch'] === undefined || change['$patch'] === 'merge');
  for (const change of plain) requireKey(change, mergeKey);
  // A lone `$patch: replace` entry makes the rest of the patch the whole list.
  if (changes.some((change) => change['$patch'] === 'replace')) return plain.map((change) => rules.fresh(change));

  const deleted = changes.filter((change) => change['$patch'] === 'delete');
  for (const change of deleted) requireKey(change, mergeKey);
  const left = current.filter((item) => !deleted.some((change) => isEqual(change[mergeKey], keyed(item))));
  const result: unknown[] = [...left];
  for (const change of plain) {
    const at = result.findIndex((item) => isEqual(keyed(item), change[mergeKey]));
    if (at >= 0 && isJsonObject(result[at])) result[at] = rules.merge(result[at], change);
    else result.push(rules.fresh(change));
  }
  return rules.order(result, keyed, plain.map(keyed), left.map(keyed));
}

function requireKey(change: JsonObject, mergeKey: string): void {
  if (change[mergeKey] === undefined || change[mergeKey] === null) {
    throw failure(500, 'InternalError', `map: ${goMap(change)} does not contain declared merge key: ${mergeKey}`);
  }
}

/** Go's %v of a map. */
function goMap(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goMap).join(' ')}]`;
  if (!isJsonObject(value)) return value === null ? '<nil>' : String(value);
  return `map[${Object.keys(value)
    .sort()
    .map((name) => `${name}:${goMap(value[name])}`)
    .join(' ')}]`;
}
