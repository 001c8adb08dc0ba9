// The body of an apply: YAML, of which JSON is a part, and what strict reading finds wrong with it.
import { badRequest } from '#api/meta/errors.ts';
import { scanJson } from '#api/meta/json-scan.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { isJsonObject } from '#api/meta/patches/json-object.ts';
import { typeName } from '#api/meta/patches/patch-body.ts';
import { parseYaml, YamlError } from '#api/meta/yaml.ts';

export interface ApplyConfig {
  config: KubeObject;
  /** For after the merge, which may find worse. */
  complaint: Complaint | undefined;
}

export interface Complaint {
  text: string;
  /** Refuses the request; else a warning. */
  isFatal: boolean;
}

export function parseApplyConfig(body: Uint8Array, fieldValidation: 'Ignore' | 'Warn' | 'Strict'): ApplyConfig {
  const { value, duplicates } = parse(new TextDecoder().decode(body));
  if (!isJsonObject(value)) {
    const detail = `json: cannot unmarshal ${typeName(value)} into Go value of type map[string]interface {}`;
    throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${detail}`);
  }
  const config = value as unknown as KubeObject;
  if (duplicates.length === 0 || fieldValidation === 'Ignore') return { config, complaint: undefined };
  const text = `error converting YAML to JSON: yaml: unmarshal errors:\n${duplicates.map((line) => `  ${line}`).join('\n')}`;
  return { config, complaint: { text, isFatal: fieldValidation === 'Strict' } };
}

function parse(text: string): { value: unknown; duplicates: string[] } {
  const json = parseJson(text);
  if (json !== undefined && countPairs(json) === scanJson(text).pairs) return { value: json, duplicates: [] };
  try {
    const { value, duplicates } = parseYaml(text);
    // An empty body is an empty configuration.
    return { value: value ?? {}, duplicates };
  } catch (error) {
    if (error instanceof YamlError) throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
    throw error;
  }
}

/** Undefined: no JSON. Clients send it more often than not, and it is read much faster. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function countPairs(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const items = Object.values(value);
  return items.reduce<number>((sum, item) => sum + countPairs(item), Array.isArray(value) ? 0 : items.length);
}
