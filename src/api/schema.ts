// The shapes of Kubernetes' messages at run time, read from the generated table: what decoding, patches, OpenAPI and protobuf share.
// The table is `generated/schema.json`; a message is unfolded when it is first asked for.
import table from './generated/schema.json' with { type: 'json' };

export type ScalarType =
  | 'string'
  | 'integer'
  | 'int64'
  | 'number'
  | 'boolean'
  | 'bytes'
  | 'quantity'
  | 'intOrString'
  | 'time'
  | 'microtime'
  | 'duration'
  /** Any JSON value. */
  | 'raw'
  /** Any JSON value, too: the cell of a table row. */
  | 'object';

export type FieldType =
  | { scalar: ScalarType }
  | { list: FieldType }
  | { map: FieldType }
  /** A message by its full name, e.g. `core/v1.PodSpec`. */
  | { message: string };

export interface Field {
  /** The JSON name. */
  name: string;
  type: FieldType;
  /** The protobuf number; 0 where the field has no protobuf form. */
  number: number;
  required?: boolean;
  /** Zero values are left out when written. */
  omitEmpty?: boolean;
  /** Absent and zero are two things. */
  pointer?: boolean;
  /** Whole numbers hold 32 bits, not 64. */
  int32?: boolean;
  patchStrategy?: string[];
  patchMergeKey?: string;
  listType?: 'atomic' | 'set' | 'map';
  listMapKeys?: string[];
  atomic?: boolean;
  enum?: string[];
  default?: unknown;
  /** The Go type that decoding errors name: `v1.PullPolicy`, where it is not plainly `string`. */
  goType?: string;
  /** Where it is not the JSON name. */
  protoName?: string;
}

export interface Message {
  /** `core/v1.Pod` */
  name: string;
  /** By JSON name, those of embedded messages included. */
  fields: ReadonlyMap<string, Field>;
  /** Messages whose fields stand among this one's in JSON, but in a message of their own in protobuf. */
  embedded: readonly { message: string; number: number }[];
  /** Set on top-level kinds: the apiVersion and kind that clients write. */
  apiVersion?: string;
  kind?: string;
}

type FieldEntry = [name: string, type: string, number: number, flags: string, rare?: Partial<Field>];
interface MessageEntry {
  fields: FieldEntry[];
  embedded?: [string, number][];
  apiVersion?: string;
}

const entries = table as unknown as Record<string, MessageEntry>;
/** Filled on demand, from constants only: the same for every cluster of a process. */
const messages = new Map<string, Message>();
const kinds = new Map<string, string>();
for (const [name, { apiVersion }] of Object.entries(entries)) {
  if (apiVersion !== undefined) kinds.set(`${apiVersion}/${localName(name)}`, name);
}

/** The message of that full name, e.g. `core/v1.PodSpec`. */
export function messageOf(name: string): Message {
  let message = messages.get(name);
  if (message === undefined) messages.set(name, (message = unfold(name)));
  return message;
}

/** The message of a top-level kind; undefined for a kind that is not built in. */
export function messageForKind(apiVersion: string, kind: string): Message | undefined {
  // Options and statuses of every group are meta/v1's, whatever apiVersion they are written with.
  const name = kinds.get(`${apiVersion}/${kind}`) ?? (apiVersion === 'v1' ? kinds.get(`meta.k8s.io/v1/${kind}`) : undefined);
  return name === undefined ? undefined : messageOf(name);
}

/** Whether a message is owned as a whole where it is an item, too: the table notes it at the fields that hold one. */
export function isAtomicMessage(name: string): boolean {
  return (atomicMessages ??= findAtomicMessages()).has(name);
}

let atomicMessages: ReadonlySet<string> | undefined;

function findAtomicMessages(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [name, { fields }] of Object.entries(entries)) {
    const packageName = name.slice(0, name.lastIndexOf('.'));
    for (const [, type, , , rare] of fields) {
      if (rare?.atomic === true && type.startsWith('ref:')) found.add(fullName(type.slice('ref:'.length), packageName));
    }
  }
  return found;
}

/** Follows JSON names through messages, lists and maps: `fieldAt(pod, ['spec', 'containers', 'image'])`. */
export function fieldAt(message: Message, path: readonly string[]): Field | undefined {
  let current: Message | undefined = message;
  let field: Field | undefined;
  for (const name of path) {
    field = current?.fields.get(name);
    if (field === undefined) return undefined;
    const inner = innermost(field.type);
    current = 'message' in inner ? messageOf(inner.message) : undefined;
  }
  return field;
}

/** The type that lists and maps of a type hold in the end. */
export function innermost(type: FieldType): FieldType {
  if ('list' in type) return innermost(type.list);
  if ('map' in type) return innermost(type.map);
  return type;
}

function unfold(name: string): Message {
  const entry: MessageEntry = entries[name] ?? { fields: [] };
  const packageName = name.slice(0, name.lastIndexOf('.'));
  const fields = new Map<string, Field>();
  if (entry.apiVersion !== undefined) {
    for (const header of ['kind', 'apiVersion'])
      fields.set(header, { name: header, type: { scalar: 'string' }, number: 0, omitEmpty: true });
  }
  for (const fieldEntry of entry.fields) fields.set(fieldEntry[0], fieldOf(fieldEntry, packageName));
  const embedded = (entry.embedded ?? []).map(([ref, number]) => ({ message: fullName(ref, packageName), number }));
  for (const { message } of embedded) {
    for (const [key, field] of messageOf(message).fields) fields.set(key, field);
  }
  return { name, fields, embedded, ...(entry.apiVersion !== undefined && { apiVersion: entry.apiVersion, kind: localName(name) }) };
}

function fieldOf([name, type, number, flags, rare]: FieldEntry, packageName: string): Field {
  return {
    name,
    type: typeOf(type, packageName),
    number,
    required: flags.includes('r'),
    omitEmpty: flags.includes('o'),
    pointer: flags.includes('p'),
    int32: flags.includes('4'),
    ...rare,
  };
}

function typeOf(text: string, packageName: string): FieldType {
  if (text.startsWith('[]')) return { list: typeOf(text.slice(2), packageName) };
  if (text.startsWith('map[string]')) return { map: typeOf(text.slice('map[string]'.length), packageName) };
  if (text.startsWith('ref:')) return { message: fullName(text.slice('ref:'.length), packageName) };
  return { scalar: text as ScalarType };
}

function fullName(ref: string, packageName: string): string {
  return ref.includes('.') ? ref : `${packageName}.${ref}`;
}

function localName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
