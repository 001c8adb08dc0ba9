// The cluster addresses of a service, their families and the policy must agree.
import { isIPv4, isIPv6 } from 'node:net';
import type { ServiceSpec } from '#api/generated/core-v1.ts';
import { type FieldError, duplicate, index, invalidValue, notSupported, required } from '#api/meta/field-errors.ts';
import { ipErrors } from './ip-addresses.ts';

const FAMILIES = ['IPv4', 'IPv6'];
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const PATH = 'spec.clusterIPs';

export function validateClusterIps(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const errors: FieldError[] = [];
  if (clusterIP !== '' && clusterIPs.length === 0) errors.push(required(PATH));
  else if (clusterIPs.length > 0 && clusterIP !== clusterIPs[0])
    errors.push(invalidValue(PATH, clusterIPs, 'first value must match `clusterIP`'));
  for (const [position, family] of ipFamilies.entries()) {
    const path = index('spec.ipFamilies', position);
    if (!FAMILIES.includes(family)) errors.push(notSupported(path, family, FAMILIES));
    if (ipFamilies.indexOf(family) < position) errors.push(duplicate(path, family));
  }
  if (ipFamilyPolicy !== undefined && !FAMILY_POLICIES.includes(ipFamilyPolicy))
    errors.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, FAMILY_POLICIES));
  errors.push(...validateAddresses(clusterIPs));
  return errors.length > 0 ? errors : validateFamilies(clusterIPs, ipFamilies);
}

function validateAddresses(clusterIPs: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  for (const [position, address] of clusterIPs.entries()) {
    if (position === 0 && address === 'None') {
      if (clusterIPs.length > 1) errors.push(invalidValue(PATH, clusterIPs, "'None' must be the first and only value"));
      continue;
    }
    const wrong = ipErrors(address, index(PATH, position));
    errors.push(...wrong);
    if (wrong.length === 0 && clusterIPs.indexOf(address) < position) errors.push(duplicate(index(PATH, position), address));
  }
  if (clusterIPs.length > 2) errors.push(invalidValue(PATH, clusterIPs, 'may only hold up to 2 values'));
  return errors;
}

function validateFamilies(clusterIPs: readonly string[], ipFamilies: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  for (const [position, address] of clusterIPs.entries()) {
    const family = ipFamilies[position];
    if (address === 'None' || family === undefined) continue;
    if (family === 'IPv4' ? !isIPv4(address) : !isIPv6(address))
      errors.push(invalidValue(index(PATH, position), address, `expected an ${family} value as indicated by \`ipFamilies[${position}]\``));
  }
  return errors;
}
