// Sums of resources by name, exact to the last digit: what quotas and limit ranges compare.
import type { Quantity } from '#api/meta/quantity.ts';
import { addQuantities, compareQuantities, subtractQuantities } from '#api/meta/quantity.ts';

export type QuantityMap = Readonly<Record<string, string | Quantity>>;

export function addQuantityMaps(one: QuantityMap, other: QuantityMap): QuantityMap {
  const sum: Record<string, string | Quantity> = { ...one };
  for (const name in other) sum[name] = sum[name] === undefined ? other[name]! : addQuantities(sum[name], other[name]!);
  return sum;
}

export function subtractQuantityMaps(one: QuantityMap, other: QuantityMap): QuantityMap {
  const rest: Record<string, string | Quantity> = { ...one };
  for (const name in other) rest[name] = subtractQuantities(rest[name] ?? '0', other[name]!);
  return rest;
}

/** The larger of each. */
export function maxQuantityMaps(one: QuantityMap, other: QuantityMap): QuantityMap {
  const largest: Record<string, string | Quantity> = { ...one };
  for (const name in other) {
    if (largest[name] === undefined || compareQuantities(other[name]!, largest[name]) > 0) largest[name] = other[name]!;
  }
  return largest;
}
