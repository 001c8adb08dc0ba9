// Amounts of resources as plain numbers: CPU in thousandths of a core, everything else in its own unit.
import { milliValueOf, valueOf } from '#api/meta/quantity.ts';

export type Amounts = Record<string, number>;

export function amountsOf(list: Readonly<Record<string, string>> | undefined): Amounts {
  const amounts: Amounts = {};
  for (const name in list) amounts[name] = name === 'cpu' ? milliValueOf(list[name]!) : valueOf(list[name]!);
  return amounts;
}

export function addAmounts(one: Amounts, other: Amounts): Amounts {
  const sum = { ...one };
  for (const name in other) sum[name] = (sum[name] ?? 0) + other[name]!;
  return sum;
}

/** The larger of each. */
export function maxAmounts(one: Amounts, other: Amounts): Amounts {
  const largest = { ...one };
  for (const name in other) largest[name] = Math.max(largest[name] ?? 0, other[name]!);
  return largest;
}
