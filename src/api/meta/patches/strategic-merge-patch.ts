// Strategic merge patch: a merge patch that knows, from the schema, which lists are merged item by item and by what key.
// The rules are those of apimachinery's strategicpatch; directives are the keys that begin with `$`.
import type { Field, Message } from '../../schema.ts';
import { innermost, messageOf } from '../../schema.ts';
import { badRequest } from '../errors.ts';
import { isEqual } from '../meta-validation.ts';
import type { JsonObject } from './json-object.ts';
import { doesNotApply, isJsonObject, setProperty } from './json-object.ts';
import { deleteFromPrimitives, mergeList } from './merge-list.ts';
import type { ListRules } from './merge-list.ts';

const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

/** A new object; what the patch does not touch is shared with `original`, nothing is shared with `patch`. */
export function strategicMergePatch(original: JsonObject, patch: JsonObject, message: Message): JsonObject {
  return mergeObject(original, patch, message);
}

function mergeObject(original: JsonObject, patch: JsonObject, message: Message | undefined): JsonObject {
  const directive = patch['$patch'];
  if (directive === 'replace') return withoutDirectives(patch);
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge')
    throw badRequest(`unknown patch type: ${String(directive)} in map: ${JSON.stringify(patch)}`);

  const result = retained(original, patch);
  for (const name of Object.keys(patch)) {
    if (name.startsWith('$')) continue;
    mergeField(result, name, patch, message?.fields.get(name));
  }
  for (const [name, directiveValue] of Object.entries(patch)) {
    if (name.startsWith(deletePrefix)) applyDeletes(result, name.slice(deletePrefix.length), directiveValue);
  }
  for (const [name, directiveValue] of Object.entries(patch)) {
    if (name.startsWith(orderPrefix)) applyOrder(result, original, patch, name.slice(orderPrefix.length), directiveValue, message);
  }
  return result;
}

/** A copy of the original, without what `$retainKeys` does not name. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const keep = patch['$retainKeys'];
  if (keep === undefined) return { ...original };
  if (!Array.isArray(keep)) throw badRequest('invalid patch format of retainKeys');
  if (Object.keys(patch).some((name) => !name.startsWith('$') && !keep.includes(name))) {
    throw doesNotApply(new Error("patch content doesn't match retainKeys list"));
  }
  return Object.fromEntries(Object.entries(original).filter(([name]) => keep.includes(name)));
}

function mergeField(result: JsonObject, name: string, patch: JsonObject, field: Field | undefined): void {
  const change = patch[name];
  if (change === null) {
    delete result[name];
    return;
  }
  const current = Object.hasOwn(result, name) ? result[name] : undefined;
  const replaces = field?.patchStrategy?.includes('replace') === true;
  if (isJsonObject(change) && isJsonObject(current) && !replaces) {
    setProperty(result, name, mergeObject(current, change, elementOf(field)));
  } else if (Array.isArray(change) && Array.isArray(current) && isMerged(field)) {
    setProperty(result, name, mergeList(current, change, rulesOf(field)));
  } else if (Array.isArray(change) && isMerged(field)) {
    // Not there yet: what the patch deletes is simply not there.
    setProperty(result, name, mergeList([], change, rulesOf(field)));
  } else if (isJsonObject(change) && '$patch' in change && change['$patch'] === 'delete') {
    if (current !== undefined && !isJsonObject(current)) setProperty(result, name, {});
  } else setProperty(result, name, withoutDirectivesDeep(change));
}

function applyDeletes(result: JsonObject, name: string, values: unknown): void {
  if (!Array.isArray(values)) throw badRequest('invalid patch format of primitive list');
  const current = result[name];
  if (Array.isArray(current)) result[name] = deleteFromPrimitives(current, values);
}

/** `$setElementOrder`: the listed items stand in this order, others where they stood between them. */
function applyOrder(
  result: JsonObject,
  original: JsonObject,
  patch: JsonObject,
  name: string,
  order: unknown,
  message: Message | undefined,
): void {
  if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list');
  const field = message?.fields.get(name);
  const current = result[name];
  if (!Array.isArray(current) || !isMerged(field)) return;
  const { mergeKey } = rulesOf(field);
  const identity = (item: unknown): unknown => (mergeKey === undefined ? item : isJsonObject(item) ? item[mergeKey] : undefined);
  const listed = order.map(identity);
  const added = (Array.isArray(patch[name]) ? (patch[name] as unknown[]) : []).filter(
    (item) => !isJsonObject(item) || item['$patch'] === undefined,
  );
  checkOrder(added.map(identity), listed);
  const live = (Array.isArray(original[name]) ? (original[name] as unknown[]) : []).map(identity);
  result[name] = interleave(current, identity, listed, live);
}

/** Every item of the patch must be named, in the same relative order. */
function checkOrder(added: unknown[], listed: unknown[]): void {
  let last = -1;
  for (const item of added) {
    const position = listed.findIndex((candidate) => isEqual(candidate, item));
    if (position < last || position < 0) {
      throw badRequest(
        position < 0
          ? `The order in patch list:\n${JSON.stringify(added)}\n doesn't match $setElementOrder list:\n${JSON.stringify(listed)}\n`
          : 'invalid patch format of setElementOrder list',
      );
    }
    last = position;
  }
}

/**
 * Items named by `listed` in its order; each of the others before the first named item that stood behind it in `live`,
 * as far as the others' own order allows.
 */
function interleave(
  items: readonly unknown[],
  identity: (item: unknown) => unknown,
  listed: readonly unknown[],
  live: readonly unknown[],
): unknown[] {
  const positionIn = (list: readonly unknown[], item: unknown) => list.findIndex((candidate) => isEqual(candidate, identity(item)));
  const byPosition = (list: readonly unknown[]) => (a: unknown, b: unknown) => positionIn(list, a) - positionIn(list, b);
  const named = items.filter((item) => positionIn(listed, item) >= 0).sort(byPosition(listed));
  const others = items.filter((item) => positionIn(listed, item) < 0).sort(byPosition(live));
  const result: unknown[] = [];
  for (const item of named) {
    const position = positionIn(live, item);
    while (others.length > 0 && position >= 0 && positionIn(live, others[0]) >= 0 && positionIn(live, others[0]) < position)
      result.push(others.shift());
    result.push(item);
  }
  return [...result, ...others];
}

function isMerged(field: Field | undefined): field is Field {
  return field?.patchStrategy?.includes('merge') === true;
}

function rulesOf(field: Field): ListRules {
  const element = elementOf(field);
  return {
    ...(field.patchMergeKey !== undefined && { mergeKey: field.patchMergeKey }),
    merge: (current, change) => mergeObject(current, change, element),
    fresh: (change) => withoutDirectivesDeep(change),
    order: (items, identity, patchOrder, live) => interleave(items, identity, patchOrder, live),
  };
}

function elementOf(field: Field | undefined): Message | undefined {
  // The keys of a map are no fields of the message that it holds.
  if (field === undefined || 'map' in field.type) return undefined;
  const inner = innermost(field.type);
  return 'message' in inner ? messageOf(inner.message) : undefined;
}

/** A value that nothing is merged into: its nulls and directives mean nothing. */
function withoutDirectivesDeep(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => !isJsonObject(item) || item['$patch'] !== 'delete').map(withoutDirectivesDeep);
  }
  if (!isJsonObject(value)) return value;
  return withoutDirectives(value);
}

function withoutDirectives(patch: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [name, value] of Object.entries(patch)) {
    const isDirective = name === '$patch' || name === '$retainKeys' || name.startsWith(orderPrefix) || name.startsWith(deletePrefix);
    if (!isDirective && value !== null) setProperty(result, name, withoutDirectivesDeep(value));
  }
  return result;
}
