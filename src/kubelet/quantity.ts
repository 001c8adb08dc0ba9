// Quantities as the numbers that a kubelet computes with.

const suffixes: Record<string, number> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number a quantity stands for; 0 for what is absent or no quantity. */
export function amountOf(quantity: string | number | undefined): number {
  if (quantity === undefined) return 0;
  if (typeof quantity === 'number') return quantity;
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]i?|[KMGTPE]i)?$/.exec(quantity);
  const factor = suffixes[match?.[2] ?? ''];
  if (match === null || factor === undefined) return 0;
  return Number(match[1]) * factor;
}

/** Thousandths, rounded up: how CPU is counted. */
export function milliOf(quantity: string | number | undefined): number {
  return Math.ceil(Number((amountOf(quantity) * 1000).toFixed(6)));
}

/** Whole units, rounded up: bytes and counts. */
export function wholeOf(quantity: string | number | undefined): number {
  return Math.ceil(Number(amountOf(quantity).toFixed(6)));
}
