// Tells a repeated request from another one with the same clientRequestToken.
import { createHash } from 'node:crypto';

export function requestHash(input: object): string {
  return createHash('sha256').update(stable(input)).digest('hex');
}

/** Independent of the order of members. */
function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${stable(item)}`).join(',')}}`;
}
