// Secrets: stringData is written into data, and a type's required keys must be there.
import type { Secret } from '#api/generated/core-v1.ts';
import { secrets } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, key as keyPath, required, tooLong } from '#api/meta/field-errors.ts';
import { validateImmutableField } from '#api/meta/meta-validation.ts';
import { isConfigMapKey } from '#api/meta/names.ts';
import type { ResourceRules } from '../resource.ts';
import { ageCell, nameCell } from '../table-cells.ts';
import { MAX_DATA_BYTES, base64Bytes, validateImmutable } from './data-maps.ts';

export const secretRules: ResourceRules<Secret> = {
  resource: secrets,
  setDefaults(secret) {
    secret.type ||= 'Opaque';
    if (!secret.stringData) return;
    const encoded = Object.entries(secret.stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
    delete secret.stringData;
  },
  validate(secret) {
    const errors: FieldError[] = [];
    let total = 0;
    for (const [key, value] of Object.entries(secret.data ?? {})) {
      errors.push(...isConfigMapKey(key).map((message) => invalidValue(keyPath('data', key), key, message)));
      total += base64Bytes(value);
    }
    if (total > MAX_DATA_BYTES) errors.push(tooLong('data', MAX_DATA_BYTES));
    return [...errors, ...validateRequiredKeys(secret)];
  },
  validateUpdate: (secret, old) => [...validateImmutableField(secret.type, old.type, 'type'), ...validateImmutable(secret, old, ['data'])],
  columns: [nameCell, (secret) => secret.type ?? '', (secret) => Object.keys(secret.data ?? {}).length, ageCell],
  selectableFields: (secret) => ({ type: secret.type ?? '' }),
};

function validateRequiredKeys(secret: Secret): FieldError[] {
  const { data = {} } = secret;
  const missing = (...keys: string[]): FieldError[] =>
    keys.filter((key) => !Object.hasOwn(data, key)).map((key) => required(keyPath('data', key)));
  switch (secret.type) {
    case 'kubernetes.io/service-account-token': {
      const annotation = 'kubernetes.io/service-account.name';
      return secret.metadata.annotations?.[annotation] ? [] : [required(keyPath('metadata.annotations', annotation))];
    }
    case 'kubernetes.io/dockercfg':
      return validateDockerConfig(data, '.dockercfg');
    case 'kubernetes.io/dockerconfigjson':
      return validateDockerConfig(data, '.dockerconfigjson');
    case 'kubernetes.io/basic-auth': {
      const absent = missing('username', 'password');
      return absent.length === 2 ? absent : [];
    }
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [required(keyPath('data', 'ssh-privatekey'))];
    case 'kubernetes.io/tls':
      return missing('tls.crt', 'tls.key');
    default:
      return [];
  }
}

function validateDockerConfig(data: Record<string, string>, key: string): FieldError[] {
  const path = keyPath('data', key);
  if (!Object.hasOwn(data, key)) return [required(path)];
  const text = Buffer.from(data[key]!, 'base64').toString();
  const problem = objectProblem(text);
  // The value is a secret: it is never repeated in an error.
  return problem === undefined ? [] : [invalidValue(path, '<secret contents redacted>', problem)];
}

/** Why a text is no JSON object, in the words of Go's decoder; undefined if it is one. */
function objectProblem(text: string): string | undefined {
  if (text.trim() === '') return 'unexpected end of JSON input';
  try {
    const value: unknown = JSON.parse(text);
    const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    return type === 'object' ? undefined : `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`;
  } catch {
    return `invalid character ${goQuote(text)} looking for beginning of value`;
  }
}

const goQuote = (text: string): string => `'${text.trimStart()[0] ?? ''}'`;
