// What of a service may not change: the addresses that clients know it by.
import type { Service } from '#api/generated/core-v1.ts';
import { type FieldError, index, invalidValue } from '#api/meta/field-errors.ts';

const ONCE_SET = 'may not change once set';

export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const spec = service.spec!;
  const oldSpec = old.spec!;
  const errors: FieldError[] = [];
  if (spec.type !== 'ExternalName' && oldSpec.type !== 'ExternalName') {
    errors.push(...validateListKept(spec.clusterIPs ?? [], oldSpec.clusterIPs ?? [], 'spec.clusterIPs', 'clusterIP'));
    errors.push(...validateListKept(spec.ipFamilies ?? [], oldSpec.ipFamilies ?? [], 'spec.ipFamilies', 'ipFamily'));
  }
  if (spec.type === 'LoadBalancer' && oldSpec.type === 'LoadBalancer' && spec.loadBalancerClass !== oldSpec.loadBalancerClass)
    errors.push(invalidValue('spec.loadBalancerClass', spec.loadBalancerClass, ONCE_SET));
  return errors;
}

/** The first entry stays for ever; a second one may come and go, but not change. */
function validateListKept(values: readonly string[], old: readonly string[], path: string, what: string): FieldError[] {
  if (old.length === 0) return [];
  if (values.length === 0) return [invalidValue(index(path, 0), values, `primary ${what} can not be unset`)];
  return [0, 1]
    .filter((position) => old[position] !== undefined && values[position] !== undefined && old[position] !== values[position])
    .map((position) => invalidValue(index(path, position), values, ONCE_SET));
}
