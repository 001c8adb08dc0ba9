// Requests and limits: known names, no negative amounts, and no request above its limit.
import type { PodSpec, ResourceRequirements } from '#api/generated/core-v1.ts';
import { type FieldError, child, invalidValue, key, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { isQualifiedName } from '#api/meta/names.ts';
import { compareQuantities, tryParseQuantity } from '#api/meta/quantity.ts';
import { isExtendedResource, isNativeResource, isStandardResource, validateResourceQuantity } from '../resource-names.ts';

const CONTAINER_RESOURCES: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);
const POD_RESOURCES = /^(cpu|memory|hugepages-.+)$/;
const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
/** More may be promised than there is: not so for huge pages and devices. */
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePages(name);

export function validateContainerResources(resources: ResourceRequirements | undefined, path: string): FieldError[] {
  if (!resources) return [];
  const { limits = {}, requests = {} } = resources;
  const errors: FieldError[] = [];
  for (const [name, amount] of Object.entries(limits)) {
    const at = key(child(path, 'limits'), name);
    errors.push(...validateContainerResourceName(name, at), ...validateResourceQuantity(name, amount, at));
  }
  for (const [name, amount] of Object.entries(requests)) {
    const at = key(child(path, 'requests'), name);
    errors.push(
      ...validateContainerResourceName(name, at),
      ...validateResourceQuantity(name, amount, at),
      ...validateWithinLimit(name, amount, limits, path),
    );
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory'))
    errors.push(notAllowed(path, 'HugePages require cpu or memory'));
  return errors;
}

export function validatePodResources({ resources }: PodSpec, path: string): FieldError[] {
  if (!resources) return [];
  const errors = validateContainerResources(resources, path);
  for (const field of ['limits', 'requests'] as const)
    for (const name of Object.keys(resources[field] ?? {}))
      if (!POD_RESOURCES.test(name)) errors.push(notSupported(key(child(path, field), name), name, ['cpu', 'hugepages-', 'memory']));
  return errors;
}

export function validateOverhead(overhead: Record<string, string> | undefined, path: string): FieldError[] {
  return Object.entries(overhead ?? {}).flatMap(([name, amount]) => [
    ...validateContainerResourceName(name, key(path, name)),
    ...validateResourceQuantity(name, amount, key(path, name)),
  ]);
}

export function validateContainerResourceName(name: string, path: string): FieldError[] {
  const wrong = isQualifiedName(name).map((message) => invalidValue(path, name, message));
  if (wrong.length > 0) return wrong;
  if (!name.includes('/')) {
    const errors = isStandardResource(name) ? [] : [invalidValue(path, name, 'must be a standard resource type or fully qualified')];
    if (!CONTAINER_RESOURCES.has(name) && !isHugePages(name))
      errors.push(invalidValue(path, name, 'must be a standard resource for containers'));
    return errors;
  }
  if (isNativeResource(name) || isExtendedResource(name)) return [];
  return [invalidValue(path, name, "doesn't follow extended resource name standard")];
}

function validateWithinLimit(name: string, amount: string, limits: Record<string, string>, path: string): FieldError[] {
  const limit = limits[name];
  const overcommit = isOvercommitAllowed(name);
  if (limit === undefined) return overcommit ? [] : [required(child(path, 'limits'), 'Limit must be set for non overcommitable resources')];
  if (!tryParseQuantity(amount) || !tryParseQuantity(limit)) return [];
  const order = compareQuantities(amount, limit);
  const at = child(path, 'requests');
  if (order !== 0 && !overcommit) return [invalidValue(at, amount, `must be equal to ${name} limit of ${limit}`)];
  return order > 0 ? [invalidValue(at, amount, `must be less than or equal to ${name} limit of ${limit}`)] : [];
}
