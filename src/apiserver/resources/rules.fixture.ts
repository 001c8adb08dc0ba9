// For the tests of rules: takes objects through defaults, preparation and validation as the server does, without a server.
import type { KubeObject } from '#api/meta/object.ts';
import { copyOf, freeze } from '#api/meta/object.ts';
import type { FieldError } from '#api/meta/field-errors.ts';
import type { ResourceRules } from './resource.ts';

export const NOW = Date.parse('2026-01-02T12:00:00Z');
const context = { now: NOW, user: { name: 'alice', groups: ['system:authenticated'] } };

export const texts = (errors: FieldError[] | undefined): string[] => (errors ?? []).map(({ field, message }) => `${field}: ${message}`);

/** The object as it would be stored; changes are made before anything else. */
export function created<T extends KubeObject>(rules: ResourceRules<T>, object: T, change?: (object: T) => void): T {
  const made = copyOf(object);
  change?.(made);
  rules.setDefaults?.(made);
  rules.prepareForCreate?.(made, context);
  return freeze(made);
}

/** What creating the object is refused with. */
export function refusals<T extends KubeObject>(rules: ResourceRules<T>, object: T, change?: (object: T) => void): string[] {
  return texts(rules.validate?.(created(rules, object, change)));
}

/** The object after an update by a client that read it, changed it and wrote it back. */
export function updated<T extends KubeObject>(rules: ResourceRules<T>, old: T, change: (object: T) => void): T {
  const made = copyOf(old);
  change(made);
  rules.setDefaults?.(made);
  rules.prepareForUpdate?.(made, old, context);
  return made;
}

export function updateRefusals<T extends KubeObject>(rules: ResourceRules<T>, old: T, change: (object: T) => void): string[] {
  const made = updated(rules, old, change);
  return [...texts(rules.validate?.(made)), ...texts(rules.validateUpdate?.(made, old))];
}

export function statusRefusals<T extends KubeObject>(rules: ResourceRules<T>, old: T, change: (object: T) => void): string[] {
  const made = copyOf(old);
  change(made);
  rules.setDefaults?.(made);
  rules.status?.prepareForUpdate?.(made, old, context);
  return texts(rules.status?.validateUpdate?.(made, old));
}

export const cells = <T extends KubeObject>(rules: ResourceRules<T>, object: T): unknown[] =>
  (rules.columns ?? []).map((column) => column(object, { now: NOW }));
