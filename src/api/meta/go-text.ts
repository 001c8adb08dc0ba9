// JSON as Go prints it in messages.

/** `%v`: `map[a:b c:[1 2]]`. */
export function goText(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  return `map[${pairsOf(value)
    .map(([name, item]) => `${name}:${goText(item)}`)
    .join(' ')}]`;
}

/** `%#v`: `map[string]interface {}{"a":"b"}`. */
export function goSyntax(value: unknown): string {
  if (value === null) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const pairs = pairsOf(value).map(([name, item]) => `${JSON.stringify(name)}:${goSyntax(item)}`);
  return `map[string]interface {}{${pairs.join(', ')}}`;
}

function pairsOf(value: object): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
