// The messages of pkg/resource as they stand in JSON.
// Generated from tools/generate/inputs/kubernetes by `npm run generate`: never edit.

export type Quantity = string;

export type QuantityValue = string;
