// One TypeScript file per package of the field table: an interface per message, nothing that exists at run time.
import type { Row } from '../tsv.ts';

const notes = '// Generated from tools/generate/inputs/kubernetes by `npm run generate`: never edit.\n';

/** Messages whose JSON is not an object with their fields. */
const aliases: Record<string, string> = {
  'meta/v1.Time': 'string',
  'meta/v1.MicroTime': 'string',
  'meta/v1.Duration': 'string',
  'meta/v1.FieldsV1': 'unknown',
  'meta/v1.Verbs': 'string[]',
  'certificates/v1.ExtraValue': 'string[]',
  'authentication/v1.ExtraValue': 'string[]',
  'authorization/v1.ExtraValue': 'string[]',
  'pkg/resource.Quantity': 'string',
  'pkg/resource.QuantityValue': 'string',
  'pkg/intstr.IntOrString': 'number | string',
  'pkg/runtime.RawExtension': 'unknown',
  'pkg/runtime.Unknown': 'unknown',
  'apiextensions/v1.JSON': 'unknown',
  'apiextensions/v1.JSONSchemaPropsOrArray': 'JSONSchemaProps | JSONSchemaProps[]',
  'apiextensions/v1.JSONSchemaPropsOrBool': 'JSONSchemaProps | boolean',
  'apiextensions/v1.JSONSchemaPropsOrStringArray': 'JSONSchemaProps | string[]',
};

const scalars: Record<string, string> = {
  string: 'string',
  integer: 'number',
  int64: 'number',
  number: 'number',
  boolean: 'boolean',
  bytes: 'string',
  quantity: 'string',
  time: 'string',
  microtime: 'string',
  duration: 'string',
  intOrString: 'number | string',
  raw: 'unknown',
  object: 'unknown',
};

/** `core/v1` → `core-v1`: the file's name. */
export function fileOf(packageName: string): string {
  return packageName.replaceAll('/', '-');
}

export function typeFiles(packages: Row[], fields: Row[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const { package: name, apiVersion } of packages) {
    const rows = fields.filter((row) => row['package'] === name);
    if (rows.length > 0) files.set(fileOf(name!), typeFile(name!, apiVersion!, rows));
  }
  return files;
}

function typeFile(packageName: string, apiVersion: string, rows: Row[]): string {
  const imports = new Map<string, Set<string>>();
  const messages = Map.groupBy(rows, (row) => row['message']!);
  const bodies = [...messages].map(([message, own]) => {
    const alias = aliases[`${packageName}.${message}`];
    return alias === undefined
      ? interfaceOf(message, own, (ref) => resolve(ref, packageName, imports))
      : `export type ${message} = ${alias};\n`;
  });
  for (const ref of rows.flatMap((row) => /^(?:\[\]|map\[string\])*ref:(\w+)$/.exec(row['jsonType']!)?.[1] ?? [])) {
    // A message without fields has no row of its own.
    if (!messages.has(ref)) bodies.push(`export type ${ref} = Record<string, never>;\n`);
  }
  const header = `// The messages of ${apiVersion || packageName} as they stand in JSON.\n${notes}`;
  const importLines = [...imports]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, names]) => `import type { ${[...names].sort().join(', ')} } from './${file}.ts';\n`);
  return `${header}${importLines.join('')}\n${bodies.join('\n')}`;
}

type Resolve = (ref: string) => string;

function interfaceOf(message: string, rows: Row[], resolve: Resolve): string {
  const isKind = rows.some(isTypeMeta);
  const inlined = rows.filter((row) => row['jsonName'] === '' && row['inline'] && !isTypeMeta(row));
  const parents = inlined.map((row) => typeOf(row['jsonType']!, resolve));
  const lines = rows.filter((row) => row['jsonName'] !== '' && row['jsonName'] !== '-').map((row) => fieldLine(row, isKind, resolve));
  const head = isKind ? ['  apiVersion?: string;\n', '  kind?: string;\n'] : [];
  const heritage = parents.length > 0 ? ` extends ${parents.join(', ')}` : '';
  return `export interface ${message}${heritage} {\n${[...head, ...lines].join('')}}\n`;
}

function fieldLine(row: Row, isKind: boolean, resolve: Resolve): string {
  const { jsonName, jsonType } = row as { jsonName: string; jsonType: string };
  const name = /^[a-zA-Z]\w*$/.test(jsonName) ? jsonName : JSON.stringify(jsonName);
  const values = row['enum'] ? `  /** One of ${row['enum'].split('|').join(', ')}. */\n` : '';
  return `${values}  ${name}${isPresent(row, isKind) ? '' : '?'}: ${typeOf(jsonType, resolve)};\n`;
}

/** Decoding always fills what is required, a kind's metadata and every `spec` that is not behind a pointer. */
function isPresent(row: Row, isKind: boolean): boolean {
  if (row['required'] === 'required') return true;
  if (isKind && row['jsonName'] === 'metadata') return true;
  return row['jsonName'] === 'spec' && row['pointer'] === '' && row['jsonType']!.startsWith('ref:');
}

export function isTypeMeta(row: Row): boolean {
  return row['inline'] !== '' && row['jsonName'] === '' && /^ref:(meta\/v1\.)?TypeMeta$/.test(row['jsonType']!);
}

function typeOf(jsonType: string, resolve: Resolve): string {
  if (jsonType.startsWith('[]')) {
    const item = typeOf(jsonType.slice(2), resolve);
    return item.includes('|') ? `(${item})[]` : `${item}[]`;
  }
  if (jsonType.startsWith('map[string]')) return `Record<string, ${typeOf(jsonType.slice('map[string]'.length), resolve)}>`;
  if (jsonType.startsWith('ref:')) return resolve(jsonType.slice('ref:'.length));
  const scalar = scalars[jsonType];
  if (scalar === undefined) throw new Error(`unknown type ${jsonType}`);
  return scalar;
}

function resolve(ref: string, packageName: string, imports: Map<string, Set<string>>): string {
  const dot = ref.lastIndexOf('.');
  if (dot < 0) return ref;
  const [target, name] = [ref.slice(0, dot), ref.slice(dot + 1)];
  if (target === packageName) return name;
  const names = imports.get(fileOf(target)) ?? new Set();
  imports.set(fileOf(target), names.add(name));
  return name;
}
