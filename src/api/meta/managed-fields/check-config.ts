// Whether an applied configuration is of its schema, in the words of upstream's structured merge: what it says is merged as it stands, so it must be exact.
import type { Field, FieldType, Message } from '../../schema.ts';
import { messageOf } from '../../schema.ts';
import { goSyntax, goText } from '../go-text.ts';
import { isAbsent, isMap } from './compare.ts';
import { pathText } from './field-set.ts';
import { elementOf, valueElement } from './list-items.ts';
import type { ListMap, Shape } from './shape.ts';
import { shapeOf } from './shape.ts';

/** Empty: the configuration can be merged. */
export function configErrors(message: Message, config: object): string[] {
  const errors: string[] = [];
  checkMessage(message, shapeOf(message), config, [], errors);
  return errors;
}

function checkMessage(message: Message, shape: Shape, value: unknown, path: string[], errors: string[]): void {
  if (isAbsent(value)) return;
  if (!isMap(value)) return complain(errors, path, `expected map, got ${shown(value)}`);
  for (const [name, item] of Object.entries(value)) {
    const field = message.fields.get(name);
    const at = [...path, `f:${name}`];
    if (field === undefined) complain(errors, at, 'field not declared in schema');
    else checkField(field, shape.kind === 'struct' ? shape.field(name)?.shape : undefined, item, at, errors);
  }
}

function checkField(field: Field, shape: Shape | undefined, value: unknown, path: string[], errors: string[]): void {
  checkType(field.type, shape ?? { kind: 'leaf' }, value, path, errors);
}

function checkType(type: FieldType, shape: Shape, value: unknown, path: string[], errors: string[]): void {
  if (isAbsent(value)) return;
  if ('message' in type) return checkMessage(messageOf(type.message), shape, value, path, errors);
  if ('list' in type) return checkList(type.list, shape, value, path, errors);
  if ('map' in type) {
    if (!isMap(value)) return complain(errors, path, `expected map, got ${shown(value)}`);
    const item: Shape = shape.kind === 'map' ? shape.item : { kind: 'leaf' };
    for (const [name, entry] of Object.entries(value)) checkType(type.map, item, entry, [...path, `f:${name}`], errors);
    return;
  }
  const wrong = scalarError(type.scalar, value);
  if (wrong !== undefined) complain(errors, path, wrong);
}

function checkList(item: FieldType, shape: Shape, value: unknown, path: string[], errors: string[]): void {
  if (!Array.isArray(value)) return complain(errors, path, `expected list, got ${shown(value)}`);
  const seen = new Set<string>();
  for (const [position, entry] of value.entries()) {
    const element = shape.kind === 'set' ? valueElement(entry) : shape.kind === 'list' ? elementOf(shape, entry) : `i:${position}`;
    const refusal = shape.kind === 'list' ? keyError(shape, entry) : shape.kind === 'set' ? valueError(entry) : undefined;
    if (refusal !== undefined) {
      complain(errors, path, `element ${position}: ${refusal}`);
      continue;
    }
    if (seen.has(element)) complain(errors, path, `duplicate entries for key ${pathText([element])}`);
    seen.add(element);
    const below: Shape = shape.kind === 'list' ? shape.item : { kind: 'leaf' };
    checkType(item, below, entry, [...path, element], errors);
  }
}

function keyError(list: ListMap, item: unknown): string | undefined {
  if (isAbsent(item)) return 'associative list with keys may not have a null element';
  if (!isMap(item)) return 'associative list with keys may not have non-map elements';
  if (list.keys.some((key) => !isAbsent(item[key] ?? list.defaults[key]))) return undefined;
  const keys = list.keys.map((key) => JSON.stringify(key)).join(' ');
  return `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`;
}

function valueError(item: unknown): string | undefined {
  if (isMap(item)) return `associative list without keys has an element that's a map type`;
  if (Array.isArray(item)) return 'not supported: associative list with lists as elements';
  return isAbsent(item) ? `associative list without keys has an element that's an explicit null` : undefined;
}

function scalarError(scalar: string, value: unknown): string | undefined {
  switch (scalar) {
    case 'integer':
    case 'int64':
    case 'number':
      return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${shownScalar(value)}`;
    case 'string':
    case 'bytes':
    case 'duration':
      return typeof value === 'string' ? undefined : `expected string, got ${shownScalar(value)}`;
    default:
      // Untyped scalars (quantities, times, ports) are anything; decoding looks closer.
      return undefined;
  }
}

function goType(value: unknown): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/** Upstream prints its wrapper of the value, in one way for scalars and in another for the rest. */
const shownScalar = (value: unknown): string => `&value.valueUnstructured{Value:${goSyntax(value)}}`;
const shown = (value: unknown): string => `&{${goText(value)}}`;

function complain(errors: string[], path: readonly string[], detail: string): void {
  errors.push(path.length > 0 ? `${pathText(path)}: ${detail}` : detail);
}
