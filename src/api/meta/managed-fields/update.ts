// Who owns what after an update: its manager takes what it changed from everybody else, and what it removed belongs to nobody any more.
import type { KubeObject } from '../object.ts';
import { compareObjects } from './compare.ts';
import type { Entry } from './entries.ts';
import { entryOf, givenEntries, inOrder, isEntryOf, storedEntries, withFields, withoutAncient } from './entries.ts';
import { difference, union } from './field-set.ts';
import type { Shape } from './shape.ts';

export interface Update {
  /** What can have owners, `ownedShapeOf`. */
  shape: Shape;
  /** As stored; undefined: the object is new. */
  old: KubeObject | undefined;
  /** As the client wants it, with its defaults, before admission. */
  next: KubeObject;
  manager: string;
  apiVersion: string;
  subresource: string;
  /** Now. */
  time: string;
}

/** The stored list itself where nothing changed; undefined: there is none, as of objects whose list was emptied, which nobody tracks until an apply. */
export function entriesAfterUpdate({ shape, old, next, time, ...who }: Update): readonly Entry[] | undefined {
  const stored = old === undefined ? [] : storedEntries(old.metadata);
  // A subresource cannot change the list.
  const start = who.subresource === '' ? givenEntries(next.metadata.managedFields, stored) : stored;
  if (old !== undefined && start.length === 0) return undefined;
  const change = compareObjects(shape, old, next);
  if (change === undefined) return start.length > 0 ? start : undefined;
  const identity = { ...who, operation: 'Update' } as const;
  const entries: Entry[] = [];
  let own = change.changed;
  for (const entry of start) {
    const kept = difference(entry.fieldsV1, change.removed);
    if (isEntryOf(identity, entry)) {
      if (own !== undefined) own = union(kept, own);
      else push(entries, withFields(entry, kept));
    } else push(entries, withFields(entry, difference(kept, change.changed)));
  }
  if (own !== undefined) entries.push(entryOf(identity, own, time));
  return entries.length > 0 ? inOrder(withoutAncient(entries)) : undefined;
}

function push(entries: Entry[], entry: Entry | undefined): void {
  if (entry !== undefined) entries.push(entry);
}
