// Server-side apply: a configuration laid over the live object, what its manager no longer names taken away, and conflicts with other managers found.
import type { KubeObject } from '../object.ts';
import { sameValue } from '../same-value.ts';
import { compareObjects, isMap } from './compare.ts';
import { fieldsOf, mergeConfig, withoutUnowned } from './config.ts';
import type { Entry } from './entries.ts';
import { entryOf, inOrder, isEntryOf, storedEntries, withFields } from './entries.ts';
import type { FieldSet } from './field-set.ts';
import { difference, intersection, union } from './field-set.ts';
import type { Shape } from './shape.ts';

export interface Apply {
  /** The whole object, `shapeOf`. */
  shape: Shape;
  /** What can have owners, `ownedShapeOf`. */
  owned: Shape;
  /** As stored; undefined: the apply creates it. */
  live: KubeObject | undefined;
  config: KubeObject;
  manager: string;
  apiVersion: string;
  subresource: string;
  force: boolean;
  time: string;
}

interface Applied {
  /** Not yet defaulted; shares parts with the live object. */
  object: KubeObject;
  entries: readonly Entry[];
}

/** What the configuration would change that others own. */
export interface Conflict {
  entry: Entry;
  fields: FieldSet;
}

/** Any conflict without force: nothing is to be written. */
export type ApplyResult = Applied | { conflicts: Conflict[] };

export function applyConfig(apply: Apply): ApplyResult {
  const { shape, owned, live, config, time } = apply;
  const identity = { manager: apply.manager, operation: 'Apply', apiVersion: apply.apiVersion, subresource: apply.subresource } as const;
  const entries = entriesBefore(apply);
  const previous = entries.find((entry) => isEntryOf(identity, entry));
  const others = entries.filter((entry) => entry !== previous);
  const applied = fieldsOf(owned, config);

  const merged = mergeConfig(shape, live ?? {}, config);
  const ownedNow = others.reduce<FieldSet | undefined>((all, entry) => union(all, entry.fieldsV1), applied);
  const object = (previous === undefined ? merged : withoutUnowned(shape, merged, previous.fieldsV1, ownedNow)) as KubeObject;

  const change = compareObjects(owned, live, object);
  const conflicts = conflictsOf(others, change?.changed);
  if (conflicts.length > 0 && !apply.force) {
    const left = isUpgraded(apply) ? conflictsBeyond(conflicts, lastAppliedFields(apply)) : conflicts;
    if (left.length > 0) return { conflicts: left };
  }
  const after = others.flatMap(
    (entry) => withFields(entry, difference(difference(entry.fieldsV1, change?.changed), change?.removed)) ?? [],
  );
  if (applied !== undefined) {
    const isSame = change === undefined && previous !== undefined && sameValue(previous.fieldsV1, applied);
    after.push(isSame ? { ...previous, apiVersion: apply.apiVersion } : entryOf(identity, applied, time));
  }
  return { object, entries: inOrder(after) };
}

/** An object without managers was there before anybody applied: all it holds belongs to a manager of that name. */
function entriesBefore({ owned, live, apiVersion, subresource, time }: Apply): readonly Entry[] {
  if (live === undefined) return [];
  const entries = storedEntries(live.metadata);
  const fields = entries.length === 0 ? compareObjects(owned, undefined, live)?.changed : undefined;
  if (fields === undefined) return entries;
  return [entryOf({ manager: 'before-first-apply', operation: 'Update', apiVersion, subresource }, fields, time)];
}

function conflictsOf(others: readonly Entry[], changed: FieldSet | undefined): Conflict[] {
  return others.flatMap((entry) => {
    const fields = intersection(entry.fieldsV1, changed);
    return fields === undefined ? [] : [{ entry, fields }];
  });
}

function conflictsBeyond(conflicts: readonly Conflict[], allowed: FieldSet | undefined): Conflict[] {
  return conflicts.flatMap(({ entry, fields }) => {
    const left = difference(fields, allowed);
    return left === undefined ? [] : [{ entry, fields: left }];
  });
}

const kubectl = 'kubectl';
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** kubectl applied it on the client's side before, and takes it over now. */
function isUpgraded({ manager, live }: Apply): boolean {
  return manager === kubectl && live?.metadata.annotations?.[lastAppliedAnnotation] !== undefined;
}

/** What kubectl applied on the client's side, and nobody changed since. */
function lastAppliedFields({ shape, live, apiVersion }: Apply): FieldSet | undefined {
  let last: unknown;
  try {
    last = JSON.parse(live!.metadata.annotations![lastAppliedAnnotation]!);
  } catch {
    // Whoever wrote that: it allows nothing.
    return undefined;
  }
  if (typeof last !== 'object' || last === null || (last as KubeObject).apiVersion !== apiVersion) return undefined;
  const change = compareObjects(shape, last, live!);
  return difference(difference(fieldsOf(shape, last), change?.changed), change?.removed);
}

/** kubectl's annotation goes along with what it applies, where there is one; undefined: there is none. */
export function lastAppliedAfter({ manager, config }: Apply, object: KubeObject): Record<string, string> | undefined {
  const annotations = object.metadata.annotations;
  if (manager !== kubectl || annotations?.[lastAppliedAnnotation] === undefined) return undefined;
  const { [lastAppliedAnnotation]: _, ...others } = config.metadata.annotations ?? {};
  const metadata = { ...config.metadata, annotations: others };
  return { ...annotations, [lastAppliedAnnotation]: `${inNameOrder({ ...config, metadata })}\n` };
}

/** JSON with the members of all objects by name, as Go writes maps. */
function inNameOrder(value: object): string {
  return JSON.stringify(value, (_name, item: unknown) => (isMap(item) ? Object.fromEntries(Object.entries(item).sort(byName)) : item));
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
