// The environment of containers: names, and exactly one source where a value comes from elsewhere.
import type { EnvFromSource, EnvVar, EnvVarSource } from '#api/generated/core-v1.ts';
import { type FieldError, child, index, invalidValue, required } from '#api/meta/field-errors.ts';
import { isConfigMapKey, isDns1123Subdomain, isEnvVarName } from '#api/meta/names.ts';
import { ENV_FIELD_PATHS, validateFieldRef, validateResourceFieldRef } from './downward-api.ts';

const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'] as const;
const ONE_AT_A_TIME = 'may not have more than one field specified at a time';

export function validateEnv(variables: readonly EnvVar[], path: string): FieldError[] {
  return variables.flatMap((variable, position) => {
    const at = index(path, position);
    const { name = '' } = variable;
    return [
      ...(name === ''
        ? [required(child(at, 'name'))]
        : isEnvVarName(name).map((message) => invalidValue(child(at, 'name'), name, message))),
      ...(variable.valueFrom ? validateSource(variable.valueFrom, variable.value ?? '', child(at, 'valueFrom')) : []),
    ];
  });
}

export function validateEnvFrom(sources: readonly EnvFromSource[], path: string): FieldError[] {
  return sources.flatMap(({ prefix, configMapRef, secretRef }, position) => {
    const at = index(path, position);
    const errors = prefix ? isEnvVarName(prefix).map((message) => invalidValue(child(at, 'prefix'), prefix, message)) : [];
    if (configMapRef) errors.push(...validateName(configMapRef.name, child(at, 'configMapRef', 'name')));
    if (secretRef) errors.push(...validateName(secretRef.name, child(at, 'secretRef', 'name')));
    if (!configMapRef && !secretRef) errors.push(invalidValue(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    if (configMapRef && secretRef) errors.push(invalidValue(at, '', ONE_AT_A_TIME));
    return errors;
  });
}

function validateSource(source: EnvVarSource, value: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (source.fieldRef) errors.push(...validateFieldRef(source.fieldRef, ENV_FIELD_PATHS, child(path, 'fieldRef')));
  if (source.resourceFieldRef) errors.push(...validateResourceFieldRef(source.resourceFieldRef, child(path, 'resourceFieldRef'), false));
  if (source.configMapKeyRef) errors.push(...validateKeyRef(source.configMapKeyRef, child(path, 'configMapKeyRef')));
  if (source.secretKeyRef) errors.push(...validateKeyRef(source.secretKeyRef, child(path, 'secretKeyRef')));
  const count = SOURCES.filter((field) => source[field] !== undefined).length;
  if (count === 0)
    errors.push(invalidValue(path, '', `must specify one of: \`${SOURCES.slice(0, -1).join('`, `')}\` or \`${SOURCES.at(-1)}\``));
  else if (value !== '') errors.push(invalidValue(path, '', 'may not be specified when `value` is not empty'));
  else if (count > 1) errors.push(invalidValue(path, '', ONE_AT_A_TIME));
  return errors;
}

function validateKeyRef({ name = '', key = '' }: { name?: string; key?: string }, path: string): FieldError[] {
  return [
    ...isDns1123Subdomain(name).map((message) => invalidValue(child(path, 'name'), name, message)),
    ...(key === '' ? [required(child(path, 'key'))] : isConfigMapKey(key).map((message) => invalidValue(child(path, 'key'), key, message))),
  ];
}

function validateName(name: string | undefined, path: string): FieldError[] {
  return name ? isDns1123Subdomain(name).map((message) => invalidValue(path, name, message)) : [required(path)];
}
