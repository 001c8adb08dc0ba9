// The names of resources that are counted, and the amounts they may have.
import { type FieldError, invalidValue } from '#api/meta/field-errors.ts';
import { isQualifiedName } from '#api/meta/names.ts';
import { isNegativeQuantity, parseQuantity, QuantityError, milliValueOf } from '#api/meta/quantity.ts';

const COUNTED: ReadonlySet<string> = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);
const STANDARD: ReadonlySet<string> = new Set([
  ...['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
  ...['storage', 'requests.storage'],
  ...COUNTED,
]);

export const isStandardResource = (name: string): boolean => STANDARD.has(name) || /^(requests\.)?hugepages-/.test(name);
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

/** A device or the like: fully qualified, outside Kubernetes' own domain, and fit for a quota's `requests.` prefix. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false;
  return isQualifiedName(`requests.${name}`).length === 0;
}

/** Names of resources in general: qualified, and without a domain only those that Kubernetes knows. */
export function validateResourceName(name: string, path: string): FieldError[] {
  const wrong = isQualifiedName(name).map((message) => invalidValue(path, name, message));
  if (wrong.length > 0 || name.includes('/') || isStandardResource(name)) return wrong;
  return [invalidValue(path, name, 'must be a standard resource type or fully qualified')];
}

export function validateResourceQuantity(name: string, amount: string, path: string): FieldError[] {
  try {
    const quantity = parseQuantity(amount);
    const errors = isNegativeQuantity(quantity) ? [invalidValue(path, amount, 'must be greater than or equal to 0')] : [];
    if ((COUNTED.has(name) || isExtendedResource(name)) && milliValueOf(quantity) % 1000 !== 0)
      errors.push(invalidValue(path, amount, 'must be an integer'));
    return errors;
  } catch (error) {
    if (error instanceof QuantityError) return [invalidValue(path, amount, error.message)];
    throw error;
  }
}
