// The body of a request → an object of the expected kind, or the 400 that a Kubernetes API server would give.
import { decodeEnvelope } from '../protobuf/decode.ts';
import type { Envelope } from '../protobuf/envelope.ts';
import { openEnvelope } from '../protobuf/envelope.ts';
import { ProtobufError, protobufType } from '../protobuf/wire.ts';
import { messageForKind, messageOf } from '../schema.ts';
import type { Message } from '../schema.ts';
import type { ApiError } from './errors.ts';
import { badRequest, unsupportedMediaType } from './errors.ts';
import { conform, ConformError, withoutLiterals } from './conform.ts';
import { duplicateKeys, jsonSyntaxError, maxDepth, parseKeepingFractions, scanJson, tooDeep } from './json-scan.ts';
import type { KubeObject } from './object.ts';
import { QuantityError } from './quantity.ts';
import { TimeError } from './time.ts';
import { parseYaml, YamlError } from './yaml.ts';

type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface Expected {
  apiVersion: string;
  kind: string;
  /** Unset: Warn, as upstream. */
  fieldValidation?: FieldValidation;
  /** Words the refusal of a value that cannot be of the kind. Unset: 400. */
  refuse?: (detail: string) => ApiError;
}

export interface Decoded {
  /** The caller owns it; apiVersion and kind are set. */
  object: KubeObject;
  /** For the Warning header. Empty unless fieldValidation is Warn. */
  warnings: string[];
}

const decodableTypes: readonly string[] = ['application/json', 'application/yaml', protobufType];

/** `contentType` may be empty: JSON then. Throws 400 or 415. */
export function decode(body: Uint8Array, contentType: string, expected: Expected): Decoded {
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase();
  if (!typesOf(expected).includes(contentType === '' ? 'application/json' : mediaType)) throw unsupportedMediaType(typesOf(expected));
  if (mediaType === protobufType) return decodeProtobuf(Buffer.from(body.buffer, body.byteOffset, body.byteLength), expected);
  const text = new TextDecoder().decode(body);
  if (mediaType !== 'application/yaml') return decodeJson(text, expected);
  return decodeYaml(text, expected);
}

/** Custom resources have no protobuf form. */
function typesOf({ apiVersion, kind }: Expected): string[] {
  return decodableTypes.filter((type) => type !== protobufType || messageForKind(apiVersion, kind) !== undefined);
}

/** The same for a value that is parsed already: the result of a patch, with what was noted when that was read. `value` stays as it is. */
export function decodeValue(value: unknown, expected: Expected, notes: readonly string[] = []): Decoded {
  return finish(value, expected, () => [...notes]);
}

function decodeJson(text: string, expected: Expected): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unrecognized(text, expected, `couldn't get version/kind; json parse error: ${jsonSyntaxError(text)}`);
  }
  const facts = scanJson(text);
  if (facts.depth > maxDepth) throw unrecognized(text, expected, `couldn't get version/kind; json parse error: ${tooDeep}`);
  if (facts.fractions) value = parseKeepingFractions(text);
  const duplicates = (pairs: number) => (pairs === facts.pairs ? [] : duplicateKeys(text).map((path) => `duplicate field "${path}"`));
  return finish(value, expected, duplicates, text);
}

function decodeYaml(text: string, expected: Expected): Decoded {
  let parsed: ReturnType<typeof parseYaml>;
  try {
    parsed = parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw unrecognized(text, expected, `couldn't get version/kind; json parse error: error converting YAML to JSON: ${error.message}`);
  }
  return finish(parsed.value, expected, () => parsed.duplicates, text);
}

/** Fields that are not known are no complaint here: their names do not travel. */
function decodeProtobuf(body: Buffer, expected: Expected): Decoded {
  let envelope: Envelope;
  try {
    envelope = openEnvelope(body);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw unrecognized(body, expected, error.message);
  }
  const { message, kind, version } = matchKind(envelope.apiVersion || expected.apiVersion, envelope.kind || expected.kind, expected);
  let value: Record<string, unknown>;
  try {
    value = decodeEnvelope(envelope, message!);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${expected.kind}: ${error.message}`);
  }
  return finish(value, expected, () => []);
}

function finish(value: unknown, expected: Expected, duplicates: (pairs: number) => string[], text = ''): Decoded {
  const { message, kind, version } = checkKind(value, expected, text);
  const refuse =
    expected.refuse ?? ((detail) => badRequest(`${kind} in version "${version}" cannot be handled as a ${expected.kind}: ${detail}`));
  let conformed: { value: Record<string, unknown>; unknown: string[]; pairs: number };
  try {
    conformed = message === undefined ? conformCustom(value as Record<string, unknown>) : conform(message, value);
  } catch (error) {
    if (error instanceof ConformError || error instanceof QuantityError || error instanceof TimeError) throw refuse(error.message);
    throw error;
  }
  const object = conformed.value as unknown as KubeObject;
  object.apiVersion = expected.apiVersion;
  object.kind = expected.kind;
  return { object, warnings: complaints(conformed, expected, duplicates, refuse) };
}

function complaints(
  conformed: { unknown: string[]; pairs: number },
  expected: Expected,
  duplicates: (pairs: number) => string[],
  refuse: (detail: string) => ApiError,
): string[] {
  const validation = expected.fieldValidation ?? 'Warn';
  if (validation === 'Ignore') return [];
  const found = [...duplicates(conformed.pairs), ...conformed.unknown.map((path) => `unknown field "${path}"`)];
  if (found.length > 0 && validation === 'Strict') throw refuse(`strict decoding error: ${found.join(', ')}`);
  return found;
}

/** A custom resource's shape is its own schema's business: only its metadata is everyone's. */
function conformCustom(value: Record<string, unknown>): { value: Record<string, unknown>; unknown: string[]; pairs: number } {
  const metadata = conform(messageOf('meta/v1.ObjectMeta'), value['metadata'] ?? {});
  const plain = withoutLiterals(value) as Record<string, unknown>;
  return { value: { ...plain, metadata: metadata.value }, unknown: metadata.unknown.map((path) => `metadata.${path}`), pairs: Number.NaN };
}

function checkKind(value: unknown, expected: Expected, text: string): { message: Message | undefined; kind: string; version: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const given = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value;
    const header = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
    throw unrecognized(
      text,
      expected,
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${given} into Go value of type ${header}`,
    );
  }
  const { apiVersion = '', kind = '' } = value as { apiVersion?: unknown; kind?: unknown };
  for (const [field, given] of [
    ['apiVersion', apiVersion],
    ['kind', kind],
  ] as const) {
    if (given === null || typeof given === 'string') continue;
    const type = Array.isArray(given) ? 'array' : typeof given === 'boolean' ? 'bool' : typeof given;
    const detail = `couldn't get version/kind; json parse error: json: cannot unmarshal ${type} into Go struct field .${field} of type string`;
    throw unrecognized(text, expected, detail);
  }
  return matchKind((apiVersion as string | null) || expected.apiVersion, (kind as string | null) || expected.kind, expected);
}

function matchKind(apiVersion: string, kind: string, expected: Expected): { message: Message | undefined; kind: string; version: string } {
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  const message = messageForKind(expected.apiVersion, expected.kind);
  // Options, statuses and the like are registered in every group.
  const anywhere = message?.name.startsWith('meta/v1.') === true;
  if (kind === expected.kind && (apiVersion === expected.apiVersion || anywhere)) return { message, kind, version };
  if (kind === expected.kind && messageForKind(apiVersion, kind) !== undefined) {
    throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected.apiVersion})`);
  }
  const known = messageForKind(apiVersion, kind) !== undefined;
  const detail = known
    ? `converting (${version}.${kind}) to (${internalName(expected)}): unknown conversion`
    : `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/api/legacyscheme/scheme.go:30"`;
  throw badRequest(`${kind} in version "${version}" cannot be handled as a ${expected.kind}: ${detail}`);
}

/** Upstream's internal type: `core.Pod`, `apps.Deployment`. */
function internalName({ apiVersion, kind }: Expected): string {
  return apiVersion.includes('/') ? `${apiVersion.split(/[./]/, 1)[0]}.${kind}` : `core.${kind}`;
}

function unrecognized(body: string | Buffer, expected: Expected, detail: string): ApiError {
  return badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${detail} (${summarize(Buffer.from(body))})`);
}

function summarize(body: Buffer): string {
  if (body.length === 0) return '<empty>';
  const dots = body.length > 30 ? ' ...' : '';
  return body.subarray(0, 30).toString(body[0] === 0x7b ? 'utf8' : 'hex') + dots;
}
