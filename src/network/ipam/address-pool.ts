// A pool of IPv4 addresses: the next free one goes round, so that an address just given back is the last to be used again.
import type { Cidr } from './cidr.ts';
import { formatAddress, parseAddress, sizeOf } from './cidr.ts';

export interface AddressPool {
  /** Undefined when none is free. */
  allocate(): string | undefined;
  /** Takes this very address; false if it is outside the pool or taken. */
  reserve(address: string): boolean;
  /** Idempotent. */
  release(address: string): void;
  readonly size: number;
  readonly used: number;
}

/** The addresses `first` to `last`, both included, as numbers. */
export function createAddressPool(range: { first: number; last: number }): AddressPool {
  const taken = new Set<number>();
  const size = Math.max(0, range.last - range.first + 1);
  let next = 0;
  return {
    allocate() {
      if (taken.size >= size) return undefined;
      while (taken.has(range.first + next)) next = (next + 1) % size;
      const address = range.first + next;
      next = (next + 1) % size;
      taken.add(address);
      return formatAddress(address);
    },
    reserve(text) {
      const address = parseAddress(text);
      if (address === undefined || address < range.first || address > range.last || taken.has(address)) return false;
      taken.add(address);
      return true;
    },
    release(text) {
      const address = parseAddress(text);
      if (address !== undefined) taken.delete(address);
    },
    size,
    get used() {
      return taken.size;
    },
  };
}

/** Pod addresses out of a block: for simulated nodes, whose pods have an address but no network. */
export function podAddressAllocator(cidr: Cidr): AddressPool {
  return createAddressPool({ first: cidr.base + 1, last: cidr.base + sizeOf(cidr.prefix) - 2 });
}
