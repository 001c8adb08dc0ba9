// IPv4 addresses and blocks as numbers.

export interface Cidr {
  /** The first address. */
  base: number;
  prefix: number;
}

export function parseAddress(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (const part of match.slice(1)) {
    // A leading zero means octal to some readers: refused, as Kubernetes does.
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

/** Throws on anything but `a.b.c.d/n`; host bits are dropped. */
export function parseCidr(text: string): Cidr {
  const [address, prefixText, ...rest] = text.split('/');
  const value = parseAddress(address ?? '');
  const prefix = /^\d{1,2}$/.test(prefixText ?? '') ? Number(prefixText) : 33;
  if (value === undefined || prefix > 32 || rest.length > 0) throw new Error(`invalid CIDR address: ${text}`);
  return { base: value - (value % sizeOf(prefix)), prefix };
}

export function formatCidr(cidr: Cidr): string {
  return `${formatAddress(cidr.base)}/${cidr.prefix}`;
}

export const sizeOf = (prefix: number): number => 2 ** (32 - prefix);

export function contains(cidr: Cidr, address: number): boolean {
  return address >= cidr.base && address < cidr.base + sizeOf(cidr.prefix);
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return a.base < b.base + sizeOf(b.prefix) && b.base < a.base + sizeOf(a.prefix);
}
