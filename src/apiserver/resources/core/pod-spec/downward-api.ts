// References from a pod to its own fields and resources, for environment variables and files.
import type { ObjectFieldSelector, ResourceFieldSelector } from '#api/generated/core-v1.ts';
import { type FieldError, child, invalidValue, notSupported, required } from '#api/meta/field-errors.ts';
import { isQualifiedName } from '#api/meta/names.ts';

export const ENV_FIELD_PATHS: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
export const FILE_FIELD_PATHS: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

/** Paths that exist, whether or not this place supports them. */
const KNOWN_PATHS: ReadonlySet<string> = new Set([
  ...ENV_FIELD_PATHS,
  ...FILE_FIELD_PATHS,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
]);

const RESOURCES: readonly string[] = ['limits', 'requests'].flatMap((kind) => [
  `${kind}.cpu`,
  `${kind}.ephemeral-storage`,
  `${kind}.memory`,
]);
const SIZE_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

export function validateFieldRef({ apiVersion, fieldPath }: ObjectFieldSelector, supported: readonly string[], path: string): FieldError[] {
  if (!apiVersion) return [required(child(path, 'apiVersion'))];
  if (!fieldPath) return [required(child(path, 'fieldPath'))];
  const at = child(path, 'fieldPath');
  if (apiVersion !== 'v1') return [invalidValue(at, fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`)];
  const subscripted = /^([^[\]]+)\['(.*)'\]$/.exec(fieldPath);
  if (subscripted) {
    const [, field, key] = subscripted as unknown as [string, string, string];
    if (field !== 'metadata.annotations' && field !== 'metadata.labels')
      return [invalidValue(at, fieldPath, `error converting fieldPath: field label does not support subscript: ${fieldPath}`)];
    return isQualifiedName(field === 'metadata.annotations' ? key.toLowerCase() : key).map((message) => invalidValue(path, key, message));
  }
  const field = fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath;
  if (!KNOWN_PATHS.has(field)) return [invalidValue(at, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)];
  return supported.includes(field) ? [] : [notSupported(at, field, supported)];
}

export function validateResourceFieldRef(
  { containerName, resource, divisor }: ResourceFieldSelector,
  path: string,
  containerNameRequired: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (containerNameRequired && !containerName) errors.push(required(child(path, 'containerName')));
  else if (!resource) errors.push(required(child(path, 'resource')));
  else if (!RESOURCES.includes(resource) && !/^(limits|requests)\.hugepages-/.test(resource))
    errors.push(notSupported(child(path, 'resource'), resource, RESOURCES));
  return [...errors, ...validateDivisor(resource ?? '', divisor ?? '0', child(path, 'divisor'))];
}

function validateDivisor(resource: string, divisor: string, path: string): FieldError[] {
  if (divisor === '0') return [];
  const [, kind = ''] = resource.split('.');
  if (kind === 'cpu')
    return ['1m', '1'].includes(divisor)
      ? []
      : [invalidValue(path, resource, "only divisor's values 1m and 1 are supported with the cpu resource")];
  if (kind !== 'memory' && kind !== 'ephemeral-storage' && !kind.startsWith('hugepages-')) return [];
  if (SIZE_DIVISORS.includes(divisor)) return [];
  const name = kind === 'memory' ? 'memory' : kind === 'ephemeral-storage' ? 'local ephemeral storage' : 'hugepages';
  return [invalidValue(path, resource, `only divisor's values ${SIZE_DIVISORS.join(', ')} are supported with the ${name} resource`)];
}
