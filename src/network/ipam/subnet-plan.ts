// How the addresses of a cluster's VPC subnet (a /20) are used, and which subnet a cluster gets.
//   .0.1            the gateway: the host's own address in the subnet
//   .0.10 – .1.255  nodes
//   .2.0 – .14.255  pods, in blocks of 128 addresses that belong to nodes
//   .15.0 – .15.254 load balancers
import type { Cidr } from './cidr.ts';
import { formatAddress, overlaps, parseCidr, sizeOf } from './cidr.ts';

const subnetPrefix = 20;
const podBlockSize = 128;
const firstPodOffset = 512;
const firstLoadBalancerOffset = 15 * 256;

export interface SubnetPlan {
  cidr: Cidr;
  gateway: string;
  nodes: { first: number; last: number };
  podBlocks: number;
  loadBalancers: { first: number; last: number };
}

export function planSubnet(cidr: Cidr): SubnetPlan {
  if (cidr.prefix !== subnetPrefix) throw new Error(`a cluster's subnet is a /${subnetPrefix}, not a /${cidr.prefix}`);
  return {
    cidr,
    gateway: formatAddress(cidr.base + 1),
    nodes: { first: cidr.base + 10, last: cidr.base + firstPodOffset - 1 },
    podBlocks: (firstLoadBalancerOffset - firstPodOffset) / podBlockSize,
    loadBalancers: { first: cidr.base + firstLoadBalancerOffset, last: cidr.base + sizeOf(subnetPrefix) - 2 },
  };
}

/** The pod addresses of a node that owns `count` blocks from number `block` on. */
export function podRange(plan: SubnetPlan, block: number, count: number): { first: number; last: number } {
  const first = plan.cidr.base + firstPodOffset + block * podBlockSize;
  return { first, last: first + count * podBlockSize - 1 };
}

/** Blocks that a node with this pod limit needs: a quarter more than its pods, as an address is free again only after its pod is gone. */
export function podBlocksFor(maxPods: number): number {
  return Math.ceil((maxPods * 1.25) / podBlockSize);
}

/** The first run of `count` blocks that nobody owns; undefined when the subnet is full. */
export function freePodBlocks(plan: SubnetPlan, taken: { block: number; count: number }[], count: number): number | undefined {
  for (let block = 0; block + count <= plan.podBlocks; block++) {
    const clash = taken.find((other) => block < other.block + other.count && other.block < block + count);
    if (clash === undefined) return block;
    block = clash.block + clash.count - 1;
  }
  return undefined;
}

/**
 * A /20 of 10.0.0.0/8 that overlaps neither the machine's routes nor what is taken already. The search starts at a place that
 * `seed` decides, so that two homes seldom even look at the same block. The service ranges of EKS are kept free.
 */
export function chooseSubnet(seed: number, taken: string[]): Cidr {
  const blocks = sizeOf(8) / sizeOf(subnetPrefix);
  const used = [...taken, '10.100.0.0/16', '172.20.0.0/16'].map(parseCidr);
  for (let step = 0; step < blocks; step++) {
    const cidr = { base: parseCidr('10.0.0.0/8').base + ((seed + step) % blocks) * sizeOf(subnetPrefix), prefix: subnetPrefix };
    if (!used.some((other) => overlaps(other, cidr))) return cidr;
  }
  throw new Error('no free /20 block is left in 10.0.0.0/8: the routes of this machine cover it all');
}
