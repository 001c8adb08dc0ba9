// Volumes made of files: secrets, config maps, the downward API, and projections of several of them.
import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  KeyToPath,
  ProjectedVolumeSource,
  SecretVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '#api/generated/core-v1.ts';
import { type FieldError, child, index, invalidValue, notAllowed, required } from '#api/meta/field-errors.ts';
import { FILE_FIELD_PATHS, validateFieldRef, validateResourceFieldRef } from './downward-api.ts';
import { fileNameErrors } from './paths.ts';

const MAX_TOKEN_SECONDS = 2 ** 32;
const MIN_TOKEN_SECONDS = 600;

export function validateSecretSource({ secretName, defaultMode, items }: SecretVolumeSource, path: string): FieldError[] {
  const errors = secretName ? [] : [required(child(path, 'secretName'))];
  return [...errors, ...validateMode(defaultMode, child(path, 'defaultMode')), ...validateItems(items, child(path, 'items'))];
}

export function validateConfigMapSource({ name, defaultMode, items }: ConfigMapVolumeSource, path: string): FieldError[] {
  const errors = name ? [] : [required(child(path, 'name'))];
  return [...errors, ...validateMode(defaultMode, child(path, 'defaultMode')), ...validateItems(items, child(path, 'items'))];
}

export function validateDownwardSource({ defaultMode, items = [] }: DownwardAPIVolumeSource, path: string): FieldError[] {
  return [
    ...validateMode(defaultMode, child(path, 'defaultMode')),
    // Upstream names the volume here, not the item.
    ...items.flatMap((item) => validateDownwardFile(item, path)),
  ];
}

export function validateProjectedSource({ defaultMode, sources = [] }: ProjectedVolumeSource, path: string): FieldError[] {
  const errors = validateMode(defaultMode, child(path, 'defaultMode'));
  const paths = new Set<string>();
  for (const [position, source] of sources.entries()) {
    const at = index(child(path, 'sources'), position);
    errors.push(...validateProjection(source, at));
    for (const file of filesOf(source)) {
      if (paths.has(file)) errors.push(invalidValue(path, file, 'conflicting duplicate paths'));
      paths.add(file);
    }
  }
  return errors;
}

function validateProjection(source: VolumeProjection, path: string): FieldError[] {
  const kinds = (['secret', 'configMap', 'downwardAPI', 'serviceAccountToken', 'clusterTrustBundle', 'podCertificate'] as const).filter(
    (kind) => source[kind] !== undefined,
  );
  const errors = kinds.slice(1).map((kind) => notAllowed(child(path, kind), 'may not specify more than 1 volume type'));
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  if (secret) {
    if (!secret.name) errors.push(required(child(path, 'secret', 'name')));
    errors.push(...validateItems(secret.items, child(path, 'secret', 'items')));
  }
  if (configMap) {
    if (!configMap.name) errors.push(required(child(path, 'configMap', 'name')));
    errors.push(...validateItems(configMap.items, child(path, 'configMap', 'items')));
  }
  for (const file of downwardAPI?.items ?? []) errors.push(...validateDownwardFile(file, child(path, 'downwardAPI')));
  if (serviceAccountToken) errors.push(...validateToken(serviceAccountToken, child(path, 'serviceAccountToken')));
  return errors;
}

function validateToken({ expirationSeconds = 3600, path: file = '' }: ServiceAccountTokenProjection, path: string): FieldError[] {
  const at = child(path, 'expirationSeconds');
  const errors: FieldError[] = [];
  if (expirationSeconds < MIN_TOKEN_SECONDS)
    errors.push(invalidValue(at, expirationSeconds, 'may not specify a duration less than 10 minutes'));
  if (expirationSeconds > MAX_TOKEN_SECONDS)
    errors.push(invalidValue(at, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'));
  return [...errors, ...fileNameErrors(file, child(path, 'path'))];
}

function validateItems(items: readonly KeyToPath[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap(({ key, path: file = '', mode }, position) => {
    const at = index(path, position);
    return [
      ...(key ? [] : [required(child(at, 'key'))]),
      ...fileNameErrors(file, child(at, 'path')),
      ...validateMode(mode, child(at, 'mode')),
    ];
  });
}

function validateDownwardFile({ path: file = '', fieldRef, resourceFieldRef, mode }: DownwardAPIVolumeFile, path: string): FieldError[] {
  const errors = fileNameErrors(file, child(path, 'path'));
  if (fieldRef) {
    errors.push(...validateFieldRef(fieldRef, FILE_FIELD_PATHS, child(path, 'fieldRef')));
    if (resourceFieldRef) errors.push(invalidValue(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  } else if (resourceFieldRef) errors.push(...validateResourceFieldRef(resourceFieldRef, child(path, 'resourceFieldRef'), true));
  else errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'));
  return [...errors, ...validateMode(mode, child(path, 'mode'))];
}

function filesOf({ secret, configMap, downwardAPI, serviceAccountToken }: VolumeProjection): string[] {
  const items = [...(secret?.items ?? []), ...(configMap?.items ?? []), ...(downwardAPI?.items ?? [])].map(({ path }) => path);
  return [...items, ...(serviceAccountToken?.path ? [serviceAccountToken.path] : [])];
}

function validateMode(mode: number | undefined, path: string): FieldError[] {
  return mode !== undefined && (mode < 0 || mode > 0o777)
    ? [invalidValue(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
    : [];
}
