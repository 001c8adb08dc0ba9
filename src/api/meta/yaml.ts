// YAML as an API server reads it: the first document, YAML 1.1 words for truth, and nothing that JSON does not have.
import type { ErrorCode, YAMLError } from 'yaml';
import { parseAllDocuments } from 'yaml';

export class YamlError extends Error {
  override name = 'YamlError';
}

export interface ParsedYaml {
  value: unknown;
  /** Upstream's notes on keys that occur twice. */
  duplicates: string[];
}

/** Dates stay text; `!!binary` and sets have no JSON. */
const jsonTags = ['timestamp', 'binary', 'omap', 'pairs', 'set'];

/** Throws a YamlError whose text names the line. */
export function parseYaml(text: string): ParsedYaml {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw new YamlError('yaml: exceeded max depth', { cause: error });
    throw error;
  }
}

function parse(text: string): ParsedYaml {
  const documents = parseAllDocuments(text, {
    version: '1.1',
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !jsonTags.some((name) => tag.tag.endsWith(`:${name}`))),
  });
  const document = 'empty' in documents ? undefined : documents[0];
  if (document === undefined) return { value: null, duplicates: [] };
  const duplicates = document.errors.filter((error) => error.code === 'DUPLICATE_KEY').map((error) => duplicateNote(error, text));
  const error = document.errors.find((candidate) => candidate.code !== 'DUPLICATE_KEY');
  if (error !== undefined) throw new YamlError(refusal(error));
  try {
    return { value: withStringKeys(document.toJS({ maxAliasCount: 100 })), duplicates };
  } catch (cause) {
    // An alias that blows up the document.
    throw new YamlError(`yaml: ${(cause as Error).message}`, { cause });
  }
}

/** The commonest slips in the words of upstream's parser, which leaves the line out when it is the first. */
function refusal(error: YAMLError): string {
  const known: Partial<Record<ErrorCode, string>> = {
    BLOCK_AS_IMPLICIT_KEY: 'mapping values are not allowed in this context',
    TAB_AS_INDENT: 'found character that cannot start any token',
  };
  const line = lineOf(error);
  return `yaml: ${line > 1 ? `line ${line}: ` : ''}${known[error.code] ?? error.message.split(' at line ')[0]}`;
}

function duplicateNote(error: YAMLError, text: string): string {
  const line = lineOf(error);
  const key = /^\s*(?:- )?\s*"?([^":]+)"?\s*:/.exec(text.split('\n')[line - 1] ?? '')?.[1] ?? '';
  return `line ${line}: key "${key}" already set in map`;
}

function lineOf(error: YAMLError): number {
  return error.linePos?.[0].line ?? 1;
}

/** Maps with keys that are no strings come as Map; JSON writes such keys as text. */
function withStringKeys(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), withStringKeys(item)]));
  if (Array.isArray(value)) return value.map(withStringKeys);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withStringKeys(item)]));
  }
  return value;
}
