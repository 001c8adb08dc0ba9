// The messages at run time: field names, types, protobuf numbers, patch strategies, in the compact form that api/schema.ts reads.
import type { Row } from '../tsv.ts';
import { list } from '../tsv.ts';
import { isTypeMeta } from './type-files.ts';

/** name, type, protobuf number, flags (r required, o omitempty, p pointer, z omitzero, 4 int32), rare properties. */
type FieldEntry = [string, string, number, string, object?];
interface MessageEntry {
  fields: FieldEntry[];
  /** Messages whose fields stand among these in JSON, and under a number of their own in protobuf. */
  embedded?: [string, number][];
  apiVersion?: string;
}

/** Their JSON is no object of their fields: they are scalars wherever they occur. */
const notObjects = /^(JSON|JSONSchemaPropsOr\w+|RawExtension|Unknown|IntOrString|Quantity|QuantityValue)$/;

export function schemaTable(packages: Row[], fields: Row[]): Record<string, MessageEntry> {
  const versions = new Map(packages.map((row) => [row['package']!, row['apiVersion']!]));
  const messages: Record<string, MessageEntry> = {};
  for (const row of fields) {
    if (row['jsonType']!.startsWith('(wire-only') || notObjects.test(row['message']!)) continue;
    const message = (messages[`${row['package']}.${row['message']}`] ??= { fields: [] });
    if (isTypeMeta(row)) message.apiVersion = versions.get(row['package']!)!;
    else if (row['inline'] && row['jsonName'] === '') {
      (message.embedded ??= []).push([row['jsonType']!.slice('ref:'.length), Number(row['protoNum'])]);
    } else message.fields.push(fieldEntry(row));
  }
  return messages;
}

/** The Go type that decoding errors name, where it is not the plain string. */
function goTypeOf(row: Row): string | undefined {
  if (row['jsonType'] !== 'string' || !row['enumType']) return undefined;
  return row['enumType'] === 'UID' ? 'types.UID' : `${row['package']!.split('/')[1]}.${row['enumType']}`;
}

function fieldEntry(row: Row): FieldEntry {
  const omit = row['omit']!;
  const flags = [
    row['required'] === 'required' ? 'r' : '',
    omit.includes('omitempty') ? 'o' : '',
    omit.includes('omitzero') ? 'z' : '',
    row['pointer'] ? 'p' : '',
    row['protoType']!.endsWith('int32') ? '4' : '',
  ].join('');
  const listType = row['listType']!.replace('(type)', '');
  const rare = {
    ...(row['patchStrategy'] && { patchStrategy: list(row['patchStrategy']) }),
    ...(row['patchMergeKey'] && { patchMergeKey: row['patchMergeKey'] }),
    ...(listType && { listType }),
    ...(row['listMapKeys'] && { listMapKeys: list(row['listMapKeys']) }),
    ...(row['structOrMapType']?.includes(':atomic') && { atomic: true }),
    ...(row['enum'] && { enum: row['enum'].split('|') }),
    ...(goTypeOf(row) && { goType: goTypeOf(row) }),
    ...(row['default'] && { default: JSON.parse(row['default']) as unknown }),
    ...(row['protoName'] && { protoName: row['protoName'] }),
  };
  const type = notObjects.test(row['jsonType']!.replace(/.*ref:/, '')) ? row['jsonType']!.replace(/ref:.*/, 'raw') : row['jsonType']!;
  const entry: FieldEntry = [row['jsonName']!, type, Number(row['protoNum'] || 0), flags];
  if (Object.keys(rare).length > 0) entry.push(rare);
  return entry;
}
