// The options of writes, read from query and body and refused in upstream's words.
import { BodyTooLargeError, type HttpRequest } from '#lib/http/exchange.ts';
import { conform, ConformError } from '#api/meta/conform.ts';
import type { ApiError } from '#api/meta/errors.ts';
import { badRequest, invalid, tooLarge, unsupportedMediaType } from '#api/meta/errors.ts';
import { invalidValue, notAllowed, notSupported, required, tooLong } from '#api/meta/field-errors.ts';
import type { FieldError } from '#api/meta/field-errors.ts';
import { jsonSyntaxError } from '#api/meta/json-scan.ts';
import { parseYaml, YamlError } from '#api/meta/yaml.ts';
import { decodeEnvelope } from '#api/protobuf/decode.ts';
import { openEnvelope } from '#api/protobuf/envelope.ts';
import { ProtobufError, protobufType } from '#api/protobuf/wire.ts';
import { messageOf } from '#api/schema.ts';
import type { PatchType } from '#client/client.ts';
import type { DeleteOptionsBody } from './deletion.ts';
import { booleanOf } from './list-options.ts';

type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface WriteQuery {
  dryRun: boolean;
  fieldValidation: FieldValidation;
}

const maxBodyBytes = 3 * 1024 * 1024;
const fieldValidations = ['Ignore', 'Warn', 'Strict'];

/** `kind`: CreateOptions, UpdateOptions or PatchOptions, for the message. */
export function writeQueryOf(query: URLSearchParams, kind: string): WriteQuery {
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  const fieldValidation = query.get('fieldValidation') || 'Warn';
  const errors: FieldError[] = [...dryRunErrors(dryRun), ...fieldManagerErrors(query.get('fieldManager') ?? '')];
  if (!fieldValidations.includes(fieldValidation)) errors.push(notSupported('fieldValidation', fieldValidation, fieldValidations));
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
  return { dryRun: dryRun.length > 0, fieldValidation: fieldValidation as FieldValidation };
}

/** Those of a patch: only an apply has `force`, and only an apply must say who it is by. */
export function patchQueryOf(query: URLSearchParams, type: PatchType): WriteQuery & { force: boolean } {
  const options = writeQueryOf(query, 'PatchOptions');
  if (type === 'apply') checkApplyOptions(query.get('fieldManager') ?? '');
  else if (query.has('force')) throw refusedPatchOptions(notAllowed('force', 'may not be specified for non-apply patch'));
  return { ...options, force: query.has('force') && booleanOf(query, 'force') === true };
}

export function checkApplyOptions(fieldManager: string | undefined): void {
  if (!fieldManager) throw refusedPatchOptions(required('fieldManager', 'is required for apply patch'));
}

function refusedPatchOptions(error: FieldError): ApiError {
  return invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [error]);
}

/** Throws 413 beyond upstream's limit. */
export async function readBody(request: HttpRequest): Promise<Buffer> {
  try {
    return await request.body(maxBodyBytes);
  } catch (error) {
    if (error instanceof BodyTooLargeError) throw tooLarge(`Request entity too large: limit is ${maxBodyBytes}`);
    throw error;
  }
}

/** From the body if there is one, else from the query, as upstream. */
export async function deleteOptionsOf(
  request: HttpRequest,
  query: URLSearchParams,
): Promise<{ options: DeleteOptionsBody; dryRun: boolean }> {
  const body = await readBody(request);
  const options = body.length > 0 ? bodyOptions(body, request.headers['content-type'] ?? '') : queryOptions(query);
  const errors = dryRunErrors(options.dryRun ?? []);
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  return { options, dryRun: (options.dryRun ?? []).length > 0 };
}

function dryRunErrors(values: readonly string[]): FieldError[] {
  const wrong = values.filter((value) => value !== 'All');
  return wrong.length > 0 ? [notSupported('dryRun', values, ['All'])] : [];
}

/** Upstream's limit is in bytes. */
const maxFieldManagerBytes = 128;

function fieldManagerErrors(fieldManager: string): FieldError[] {
  const isLong = Buffer.byteLength(fieldManager) > maxFieldManagerBytes;
  const isPrintable = !/[\p{C}\p{Z}]/u.test(fieldManager.replaceAll(' ', ''));
  return [
    ...(isLong ? [tooLong('fieldManager', maxFieldManagerBytes)] : []),
    ...(isPrintable ? [] : [invalidValue('fieldManager', fieldManager, 'should only contain printable characters')]),
  ];
}

function bodyOptions(body: Buffer, contentType: string): DeleteOptionsBody {
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase();
  const known = ['', 'application/json', 'application/yaml', protobufType];
  if (!known.includes(mediaType)) throw unsupportedMediaType(known.slice(1));
  try {
    const value = optionsValue(body, mediaType);
    const kind = (value as { kind?: string } | null)?.kind ?? 'DeleteOptions';
    if (kind !== 'DeleteOptions') throw badRequest(`decoded object cannot be converted to DeleteOptions`);
    // Clients write any group's version here.
    return conform(messageOf('meta/v1.DeleteOptions'), value).value as DeleteOptionsBody;
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequest(`couldn't get version/kind; json parse error: ${jsonSyntaxError(body.toString())}`);
    if (error instanceof YamlError) throw badRequest(`error converting YAML to JSON: ${error.message}`);
    if (error instanceof ConformError) throw badRequest(`couldn't get version/kind; json parse error: ${error.message}`);
    if (error instanceof ProtobufError) throw badRequest(error.message);
    throw error;
  }
}

function optionsValue(body: Buffer, mediaType: string): unknown {
  if (mediaType === protobufType) return decodeEnvelope(openEnvelope(body), messageOf('meta/v1.DeleteOptions'));
  return mediaType === 'application/yaml' ? parseYaml(body.toString()).value : (JSON.parse(body.toString()) as unknown);
}

function queryOptions(query: URLSearchParams): DeleteOptionsBody {
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null && !/^-?[0-9]{1,18}$/.test(grace))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  const propagationPolicy = query.get('propagationPolicy');
  return {
    ...(grace !== null && { gracePeriodSeconds: Number(grace) }),
    ...(propagationPolicy !== null && { propagationPolicy }),
    ...(query.has('orphanDependents') && { orphanDependents: booleanOf(query, 'orphanDependents') }),
    dryRun: query.getAll('dryRun').filter((value) => value !== ''),
  };
}
