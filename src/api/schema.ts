// The shapes of Kubernetes' messages at run time, read from the generated table: what decoding, patches, OpenAPI and protobuf share.
// The table is `generated/schema.json`; this file gives it its types and an index.
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
  | 'raw'
  | 'object'; // prettier-ignore

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
  /** The protobuf number. */
  number: number;
  required?: boolean;
  patchStrategy?: string[];
  patchMergeKey?: string;
  listType?: 'atomic' | 'set' | 'map';
  listMapKeys?: string[];
  atomic?: boolean;
  enum?: string[];
  default?: unknown;
}

export interface Message {
  /** `core/v1.Pod` */
  name: string;
  fields: ReadonlyMap<string, Field>;
  /** Set on top-level kinds: the apiVersion and kind that clients write. */
  apiVersion?: string;
  kind?: string;
}
