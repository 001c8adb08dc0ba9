// The messages of pkg/runtime as they stand in JSON.
// Generated from tools/generate/inputs/kubernetes by `npm run generate`: never edit.

export type RawExtension = unknown;

export interface TypeMeta {
  apiVersion?: string;
  kind?: string;
}

export type Unknown = unknown;
