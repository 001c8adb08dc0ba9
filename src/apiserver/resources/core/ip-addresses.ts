// Addresses in the fields of objects: their syntax, and those that no endpoint may have.
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { type FieldError, invalidValue } from '#api/meta/field-errors.ts';

const IP_TEXT = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const CIDR_TEXT = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** Made once: a slice has a thousand addresses. */
const specialRanges: readonly (readonly [string, Pick<BlockList, 'check'>])[] = [
  ['may not be in the loopback range (127.0.0.0/8, ::1/128)', rangeOf(['127.0.0.0', 8], ['::1', 128])],
  ['may not be in the link-local range (169.254.0.0/16, fe80::/10)', rangeOf(['169.254.0.0', 16], ['fe80::', 10])],
  ['may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)', rangeOf(['224.0.0.0', 24], ['ff02::', 16])],
];

export function ipErrors(address: string, path: string): FieldError[] {
  return isIP(address) === 0 || hasLeadingZeros(address) ? [invalidValue(path, address, IP_TEXT)] : [];
}

export function cidrErrors(cidr: string, path: string): FieldError[] {
  return cidrFamily(cidr) === undefined ? [invalidValue(path, cidr, CIDR_TEXT)] : [];
}

/** Undefined for what is no CIDR. */
export function cidrFamily(cidr: string): 'IPv4' | 'IPv6' | undefined {
  const match = /^([^/%]+)\/(0|[1-9]\d{0,2})$/.exec(cidr);
  if (!match || hasLeadingZeros(match[1]!)) return undefined;
  const bits = Number(match[2]);
  if (isIPv4(match[1]!) && bits <= 32) return 'IPv4';
  return isIPv6(match[1]!) && bits <= 128 ? 'IPv6' : undefined;
}

export function ipFamily(address: string): 'IPv4' | 'IPv6' | undefined {
  const family = isIP(address);
  return family === 4 ? 'IPv4' : family === 6 ? 'IPv6' : undefined;
}

/** The address of an endpoint: of the slice's family, and of a machine that others can reach. */
export function endpointAddressErrors(address: string, path: string, family?: 'IPv4' | 'IPv6'): FieldError[] {
  const errors = ipErrors(address, path);
  if (errors.length > 0) return errors;
  if (family === 'IPv4' && !isIPv4(address)) return [invalidValue(path, address, 'must be an IPv4 address')];
  if (family === 'IPv6' && !isIPv6(address)) return [invalidValue(path, address, 'must be an IPv6 address')];
  return nonSpecialIpErrors(address, path);
}

/** External IPs and endpoints never lead to this machine, this link or many machines. */
export function nonSpecialIpErrors(address: string, path: string): FieldError[] {
  const complaints: string[] = [];
  if (address === '0.0.0.0' || isUnspecifiedIpv6(address)) complaints.push(`may not be unspecified (${address})`);
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  for (const [complaint, range] of specialRanges) if (range.check(address, family)) complaints.push(complaint);
  return complaints.map((complaint) => invalidValue(path, address, complaint));
}

function rangeOf([v4, v4Bits]: [string, number], [v6, v6Bits]: [string, number]): Pick<BlockList, 'check'> {
  const list = new BlockList();
  list.addSubnet(v4, v4Bits, 'ipv4');
  list.addSubnet(v6, v6Bits, 'ipv6');
  return list;
}

const isUnspecifiedIpv6 = (address: string): boolean => isIPv6(address) && /^[0:]+$/.test(address);
const hasLeadingZeros = (address: string): boolean => isIPv4(address) && /(^|\.)0\d/.test(address);
