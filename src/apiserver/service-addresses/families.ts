// The address families of a service, filled in for a cluster that has IPv4 only, and refused where it would need more.
import type { Service } from '#api/generated/core-v1.ts';
import { invalid } from '#api/meta/errors.ts';
import type { FieldError } from '#api/meta/field-errors.ts';
import { invalidValue } from '#api/meta/field-errors.ts';

export function setFamilies(service: Service): void {
  const spec = service.spec!;
  if (spec.type === 'ExternalName') return;
  const isHeadless = spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None';
  if (isHeadless && Object.keys(spec.selector ?? {}).length === 0) {
    // Its endpoints are made by hand and may be of any family.
    if (!spec.ipFamilies?.length) spec.ipFamilies = spec.ipFamilyPolicy === 'SingleStack' ? ['IPv4'] : ['IPv4', 'IPv6'];
    spec.ipFamilyPolicy ??= 'RequireDualStack';
    return;
  }
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    errors.push(invalidValue('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
  }
  for (const [position, family] of (spec.ipFamilies ?? []).entries()) {
    if (family === 'IPv6') errors.push(invalidValue(`spec.ipFamilies[${position}]`, family, 'not configured on this cluster'));
  }
  if (errors.length > 0) throw invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', errors);
  spec.ipFamilyPolicy ??= 'SingleStack';
  if (!spec.ipFamilies?.length) spec.ipFamilies = ['IPv4'];
}
