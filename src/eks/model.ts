// The EKS API's own model at run time: operations and shapes as generated from AWS' description.
import operationsJson from './generated/operations.json' with { type: 'json' };
import shapesJson from './generated/shapes.json' with { type: 'json' };
import type { OperationName } from './generated/types.ts';

export interface OperationModel {
  method: string;
  uri: string;
  input: string;
  output: string;
  errors: readonly string[];
}

export interface MemberModel {
  shape: string;
  /** Unset: a member of the body. */
  location?: 'uri' | 'querystring';
  /** Unset: the member's own name. */
  wireName?: string;
  required?: boolean;
}

interface Limits {
  min?: number;
  max?: number;
  pattern?: string;
  enum?: readonly string[];
}

export type ShapeModel =
  | { type: 'structure'; members: Readonly<Record<string, MemberModel>>; status?: number }
  | ({ type: 'list'; of: string } & Limits)
  | ({ type: 'map'; key: string; value: string } & Limits)
  | ({ type: 'string' | 'integer' | 'boolean' | 'timestamp' } & Limits);

export const operations = operationsJson as Readonly<Record<OperationName, OperationModel>>;

const shapes = shapesJson as unknown as Readonly<Record<string, ShapeModel>>;
const plainString: ShapeModel = { type: 'string' };

/** Scalars without limits of their own are not in the table. */
export function shapeOf(name: string): ShapeModel {
  return shapes[name] ?? plainString;
}

export function membersOf(structure: string): Readonly<Record<string, MemberModel>> {
  const shape = shapes[structure];
  return shape?.type === 'structure' ? shape.members : {};
}

export function errorStatusOf(code: string): number {
  const shape = shapes[code];
  return shape?.type === 'structure' ? (shape.status ?? 500) : 400;
}
