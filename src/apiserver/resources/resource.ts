// A kind's own rules. Its identity, verbs, short names and flags come from the generated table; everything here is optional,
// and a kind without rules behaves as upstream's generic registry does.
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import type { FieldError } from '#api/meta/field-errors.ts';
import type { UserInfo } from '#api/meta/access.ts';

interface RuleContext {
  /** Milliseconds since the epoch. */
  now: number;
  user: UserInfo;
}

/** Answers the cell; must match the generated column definition of the same position in type. */
export type Column<T> = (object: T, context: { now: number }) => string | number | boolean | null;

/** A version of a kind in which objects are read and written, but not kept. */
export interface OtherVersion<T extends KubeObject = KubeObject, Shown extends KubeObject = KubeObject> {
  readonly resource: ResourceType<Shown>;
  /** `object` belongs to the request and may be taken apart. */
  toStorage(object: Shown): T;
  /** `object` is frozen; the answer may share its parts. */
  fromStorage(object: T): Shown;
  /** What this version asks for beyond the kind's own rules; before it is turned into what is kept. */
  validate?(object: Shown): FieldError[];
  /** By this version's labels, read off what is kept. */
  selectableFields?(object: T): Record<string, string>;
}

export interface ResourceRules<T extends KubeObject = KubeObject> {
  readonly resource: ResourceType<T>;
  /** Fills absent fields of a decoded object that the caller owns. Idempotent. */
  setDefaults?(object: T): void;
  /** `resource` is the version in which objects are kept; these are the others that are served. */
  otherVersions?: readonly OtherVersion<T>[];
  /** Resets what clients may not set (status) and derives what the server sets. `object` may be changed. */
  prepareForCreate?(object: T, context: RuleContext): void;
  /** As above; `old` is frozen. Generation is bumped by the machinery where the generated table says so. */
  prepareForUpdate?(object: T, old: T, context: RuleContext): void;
  validate?(object: T): FieldError[];
  /** Runs after validate on updates: immutable fields and transitions. */
  validateUpdate?(object: T, old: T): FieldError[];
  warnings?(object: T, old?: T): string[];
  /** Rules of the status subresource. Without them only status (and metadata's mutable part) is taken over. */
  status?: {
    prepareForUpdate?(object: T, old: T, context: RuleContext): void;
    validateUpdate?(object: T, old: T): FieldError[];
  };
  /** Cells of the Table form, in the order of the generated column definitions. */
  columns?: readonly Column<T>[];
  /** Field selectors beyond metadata.name and metadata.namespace. */
  selectableFields?(object: T): Record<string, string>;
  /** Checks a name; with `prefix` it is a generateName. Answers messages. Without it: a DNS subdomain. */
  validateName?(name: string, prefix: boolean): string[];
  /** Seconds that a delete waits before the object goes; undefined: it goes at once. */
  gracePeriodSeconds?(object: T, asked: number | undefined): number | undefined;
}
