// The network side of a cluster's configuration: without an EC2 to ask, ids are taken as they come.
import { isIPv4 } from 'node:net';
import type { Subject } from '#eks/errors.ts';
import { invalidParameter } from '#eks/errors.ts';
import type { VpcConfigRequest, VpcConfigResponse } from '#eks/generated/types.ts';

/** Not 10.100.0.0/16, as the VPC has an address in 10.0.0.0/8. */
export const defaultServiceCidr = '172.20.0.0/16';

export function vpcConfigOf(request: VpcConfigRequest, clusterId: string): VpcConfigResponse {
  return {
    subnetIds: request.subnetIds ?? [],
    securityGroupIds: request.securityGroupIds ?? [],
    clusterSecurityGroupId: `sg-0${clusterId.slice(0, 16).toLowerCase()}`,
    vpcId: 'vpc-0123456789abcdef0',
    endpointPublicAccess: request.endpointPublicAccess ?? true,
    endpointPrivateAccess: request.endpointPrivateAccess ?? false,
    publicAccessCidrs: request.publicAccessCidrs ?? ['0.0.0.0/0'],
  };
}

const privateBlocks: [number, number, number][] = [
  [toNumber('10.0.0.0'), 8, 10],
  [toNumber('172.16.0.0'), 12, 172],
  [toNumber('192.168.0.0'), 16, 192],
];

/** A private block between /24 and /12, outside the VPC 10.0.0.0/16. */
export function checkServiceCidr(cidr: string, subject: Subject): void {
  const [address, bitsText] = cidr.split('/');
  const bits = Number(bitsText);
  if (!isIPv4(address!) || !/^\d+$/.test(bitsText ?? '')) throw invalidParameter(`Invalid service IPv4 CIDR: ${cidr}`, subject);
  if (bits < 12 || bits > 24) throw invalidParameter('serviceIpv4Cidr must be between /24 and /12', subject);
  const base = toNumber(address!);
  const inside = privateBlocks.some(([block, blockBits]) => bits >= blockBits && masked(base, blockBits) === block);
  if (!inside) throw invalidParameter('serviceIpv4Cidr must be within 10.0.0.0/8, 172.16.0.0/12, or 192.168.0.0/16', subject);
  const shorter = Math.min(bits, 16);
  if (masked(base, shorter) === masked(toNumber('10.0.0.0'), shorter)) {
    throw invalidParameter('serviceIpv4Cidr overlaps with a CIDR block of the VPC: 10.0.0.0/16', subject);
  }
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function masked(address: number, bits: number): number {
  const size = 2 ** (32 - bits);
  return Math.floor(address / size) * size;
}
