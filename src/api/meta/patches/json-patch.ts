// JSON patch (RFC 6902), with the limits and refusals of an API server. The algorithm is the rfc6902 library's.
import type { Operation } from 'rfc6902';
import { applyPatch } from 'rfc6902';
import { badRequest, tooLarge } from '../errors.ts';
import { copyOf } from '../object.ts';
import type { JsonObject } from './json-object.ts';
import { doesNotApply, isJsonObject } from './json-object.ts';
import { typeName } from './patch-body.ts';

const maxOperations = 10_000;
/** A copy doubles: a patch of a few bytes must not fill the memory. */
const maxCopiedBytes = 1_000_000;

/** A new object; `original` stays as it is. All operations apply, or a 422 is thrown. */
export function jsonPatch(original: JsonObject, operations: unknown[]): JsonObject {
  if (operations.length > maxOperations) {
    throw tooLarge(`The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`);
  }
  const holder = { document: ownCopy(original) as unknown };
  let copied = 0;
  for (const operation of operations.map(checkOperation)) {
    if (operation.op === 'copy') {
      copied += JSON.stringify(holder.document).length;
      if (copied > maxCopiedBytes * 10)
        throw doesNotApply(new Error('Unable to complete the copy, the accumulated size increase of copy is too large'));
    }
    apply(holder, operation);
  }
  if (!isJsonObject(holder.document)) throw badRequest('json: cannot unmarshal the patched document into an object');
  return holder.document;
}

/** With its managed fields, which other copies share. */
function ownCopy(original: JsonObject): JsonObject {
  const copy = copyOf(original);
  const metadata = copy['metadata'] as { managedFields?: unknown } | undefined;
  if (metadata?.managedFields !== undefined) metadata.managedFields = structuredClone(metadata.managedFields);
  return copy;
}

function apply(holder: { document: unknown }, operation: Operation): void {
  // The whole document is a value of its own to the library: it stands one level down while a patch addresses it.
  const refuse = ({ message, name }: Error) => doesNotApply(new Error(`${operation.op} ${operation.path}: ${message || name}`));
  const removed = operation.op === 'remove' ? operation.path : operation.op === 'move' ? operation.from : undefined;
  if (removed === '') throw refuse(new Error('the document itself cannot be removed'));
  let error: Error | null | undefined;
  try {
    [error] = applyPatch(holder, [nested(operation)]);
  } catch (cause) {
    // The library steps into whatever stands at the parent's place, a number or null as well.
    if (!(cause instanceof TypeError)) throw cause;
    error = cause;
  }
  if (error) throw refuse(error);
}

function nested(operation: Operation): Operation {
  const path = `/document${operation.path}`;
  // A value is used as it is, and a later operation would change the caller's patch.
  if (operation.op === 'add' || operation.op === 'replace') return { ...operation, path, value: copyOf(operation.value as unknown) };
  return 'from' in operation ? { ...operation, path, from: `/document${operation.from}` } : { ...operation, path };
}

function checkOperation(operation: unknown): Operation {
  if (!isJsonObject(operation)) throw badRequest(`json: cannot unmarshal ${typeName(operation)} into Go value of type jsonpatch.Operation`);
  const { op, path, from } = operation;
  if (typeof op !== 'string' || !['add', 'remove', 'replace', 'move', 'copy', 'test'].includes(op)) {
    throw doesNotApply(new Error(`Unexpected kind: ${String(op)}`));
  }
  if (!isPointer(path)) throw doesNotApply(new Error(`${op} operation has no valid path`));
  if ((op === 'move' || op === 'copy') && !isPointer(from)) throw doesNotApply(new Error(`${op} operation has no valid from`));
  if ((op === 'add' || op === 'replace' || op === 'test') && !('value' in operation))
    return { ...operation, value: null } as unknown as Operation;
  return operation as unknown as Operation;
}

function isPointer(text: unknown): text is string {
  return typeof text === 'string' && (text === '' || text.startsWith('/')) && !/~(?![01])/.test(text);
}
