// Where two values differ, for people: one line for what was asked, one for what stands.
import { isEqual } from '#api/meta/meta-validation.ts';

export function differenceOf(asked: unknown, stored: unknown): string {
  return linesOf(asked, stored, '').join('\n');
}

function linesOf(asked: unknown, stored: unknown, path: string): string[] {
  if (isEqual(asked, stored)) return [];
  if (!isObject(asked) || !isObject(stored)) return [...line('-', path, asked), ...line('+', path, stored)];
  const names = [...new Set([...Object.keys(asked), ...Object.keys(stored)])];
  return names.flatMap((name) => linesOf(asked[name], stored[name], join(path, name, Array.isArray(asked))));
}

const line = (sign: string, path: string, value: unknown): string[] =>
  value === undefined ? [] : [`${sign} ${path}: ${JSON.stringify(value)}`];
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const join = (path: string, name: string, isList: boolean): string =>
  isList ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`;
