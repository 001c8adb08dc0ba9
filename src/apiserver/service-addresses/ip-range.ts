// An IPv4 range as numbers: which addresses are in it, and the one at a position.

export interface IpRange {
  readonly cidr: string;
  /** Addresses that can be given out: neither the network's own nor the broadcast address. */
  readonly size: number;
  /** From 0 to size - 1; the first address is position 0. */
  at(position: number): string;
  has(address: string): boolean;
}

export function ipRange(cidr: string): IpRange {
  const [network = '', bits = '32'] = cidr.split('/');
  const length = 2 ** (32 - Number(bits));
  const base = Math.floor(toNumber(network) / length) * length;
  const size = Math.max(1, length - 2);
  return {
    cidr,
    size,
    at: (position) => toAddress(base + 1 + position),
    has: (address) => toNumber(address) > base && toNumber(address) <= base + size,
  };
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
