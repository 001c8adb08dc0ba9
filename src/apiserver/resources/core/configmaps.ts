// ConfigMaps: valid keys, a megabyte at most, and nothing changes once they are immutable.
import type { ConfigMap } from '#api/generated/core-v1.ts';
import { configmaps } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, key as keyPath, tooLong } from '#api/meta/field-errors.ts';
import { isConfigMapKey } from '#api/meta/names.ts';
import type { ResourceRules } from '../resource.ts';
import { ageCell, nameCell } from '../table-cells.ts';
import { MAX_DATA_BYTES, base64Bytes, validateImmutable } from './data-maps.ts';

export const configMapRules: ResourceRules<ConfigMap> = {
  resource: configmaps,
  validate(configMap) {
    const { data = {}, binaryData = {} } = configMap;
    const errors = [
      ...validateKeys('data', data, binaryData, 'duplicate of key present in binaryData'),
      ...validateKeys('binaryData', binaryData, data, 'duplicate of key present in data'),
    ];
    const texts = Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    const bytes = Object.values(binaryData).reduce((sum, text) => sum + base64Bytes(text), 0);
    if (texts + bytes > MAX_DATA_BYTES) errors.push(tooLong('', MAX_DATA_BYTES));
    return errors;
  },
  validateUpdate: (configMap, old) => validateImmutable(configMap, old, ['data', 'binaryData']),
  columns: [nameCell, (configMap) => Object.keys(configMap.data ?? {}).length + Object.keys(configMap.binaryData ?? {}).length, ageCell],
};

function validateKeys(path: string, entries: object, others: object, clash: string): FieldError[] {
  return Object.keys(entries).flatMap((key) => [
    ...isConfigMapKey(key).map((message) => invalidValue(keyPath(path, key), key, message)),
    ...(Object.hasOwn(others, key) ? [invalidValue(keyPath(path, key), key, clash)] : []),
  ]);
}
