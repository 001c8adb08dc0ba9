// How structured merge sees an object: what has owners of its own, and what is owned as a whole. Made from the messages of the schema.
import type { Field, FieldType, Message } from '../../schema.ts';
import { isAtomicMessage, messageOf } from '../../schema.ts';

export type Shape = Leaf | Struct | MapOf | SetOf | ListMap | Deduced;

/** Owned as a whole: scalars and everything atomic. */
interface Leaf {
  readonly kind: 'leaf';
}

export interface Struct {
  readonly kind: 'struct';
  /** Undefined: no owner is ever noted for it. */
  field(name: string): StructField | undefined;
}

interface StructField {
  readonly shape: Shape;
  /** Go writes it even when it was never set, so nobody is the one who added it. */
  readonly always: boolean;
}

/** Every entry has its own owner. */
export interface MapOf {
  readonly kind: 'map';
  readonly item: Shape;
}

/** A list of scalars, each with its own owner. */
interface SetOf {
  readonly kind: 'set';
}

/** A list whose items are found by some of their fields. */
export interface ListMap {
  readonly kind: 'list';
  /** By name, as path elements have them. */
  readonly keys: readonly string[];
  /** What keys are that an item leaves out. */
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly item: Shape;
}

/** No schema: maps by entry, all else as a whole. */
interface Deduced {
  readonly kind: 'deduced';
}

const leaf: Leaf = { kind: 'leaf' };
const setOf: SetOf = { kind: 'set' };
const deduced: Deduced = { kind: 'deduced' };

/** What upstream never notes an owner for. */
const withoutOwner = [
  'apiVersion',
  'kind',
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (name) => `metadata.${name}`,
  ),
];

/** The whole object. No message: a custom resource without a schema. */
export function shapeOf(message: Message | undefined): Shape {
  return message === undefined ? custom([]) : structOf(message);
}

/** Without what has no owner: the metadata of the system, and `resetPaths` (`status`, `metadata.labels`), which a write cannot change. */
export function ownedShapeOf(message: Message | undefined, resetPaths: readonly string[]): Shape {
  const left = [...withoutOwner, ...resetPaths];
  return message === undefined ? custom(left) : pruned(structOf(message), left);
}

function custom(left: readonly string[]): Struct {
  const metadata = { shape: structOf(messageOf('meta/v1.ObjectMeta')), always: true };
  const other = { shape: deduced, always: false };
  return pruned({ kind: 'struct', field: (name) => (name === 'metadata' ? metadata : other) }, left);
}

/** The struct without these paths. */
function pruned(struct: Struct, left: readonly string[]): Struct {
  const fields = new Map<string, StructField | undefined>();
  const field = (name: string): StructField | undefined => {
    const whole = struct.field(name);
    if (whole === undefined || left.includes(name)) return undefined;
    const below = left.filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1));
    if (below.length === 0 || whole.shape.kind !== 'struct') return whole;
    return { ...whole, shape: pruned(whole.shape, below) };
  };
  return {
    kind: 'struct',
    field(name) {
      // Free names are not kept: there could be any number of them.
      if (!fields.has(name) && fields.size < 100) fields.set(name, field(name));
      return fields.has(name) ? fields.get(name) : field(name);
    },
  };
}

/** Derived from constants only, once a message. */
const structs = new WeakMap<Message, Struct>();

function structOf(message: Message): Struct {
  const known = structs.get(message);
  if (known !== undefined) return known;
  const fields = new Map<string, StructField>();
  const struct: Struct = {
    kind: 'struct',
    field(name) {
      const ready = fields.get(name);
      if (ready !== undefined) return ready;
      const described = message.fields.get(name);
      if (described === undefined) return undefined;
      const made = { shape: shapeOfField(described), always: isAlwaysThere(described) };
      fields.set(name, made);
      return made;
    },
  };
  structs.set(message, struct);
  return struct;
}

function isAlwaysThere({ type, pointer, omitEmpty }: Field): boolean {
  if (pointer === true) return false;
  return 'message' in type || (('list' in type || 'map' in type) && omitEmpty !== true);
}

function shapeOfField(field: Field): Shape {
  if (field.atomic === true) return leaf;
  // A field may say of its message that it is granular, whatever it is elsewhere (a volume's claimRef).
  if ('message' in field.type) return structOf(messageOf(field.type.message));
  if (!('list' in field.type)) return shapeOfType(field.type);
  if (field.listType === 'set') return setOf;
  if (field.listType !== 'map') return leaf;
  const item = field.type.list;
  const keys = field.listMapKeys?.toSorted() ?? [];
  return { kind: 'list', keys, defaults: defaultsOf(item, keys), item: shapeOfType(item) };
}

function shapeOfType(type: FieldType): Shape {
  if ('message' in type) return isAtomicMessage(type.message) ? leaf : structOf(messageOf(type.message));
  if ('map' in type) return { kind: 'map', item: shapeOfType(type.map) };
  return leaf;
}

function defaultsOf(item: FieldType, keys: readonly string[]): Record<string, unknown> {
  const defaults: Record<string, unknown> = {};
  if (!('message' in item)) return defaults;
  for (const key of keys) {
    const value = messageOf(item.message).fields.get(key)?.default;
    if (value !== undefined) defaults[key] = value;
  }
  return defaults;
}
