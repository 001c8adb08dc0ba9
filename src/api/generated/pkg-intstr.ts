// The messages of pkg/intstr as they stand in JSON.
// Generated from tools/generate/inputs/kubernetes by `npm run generate`: never edit.

export type IntOrString = number | string;
