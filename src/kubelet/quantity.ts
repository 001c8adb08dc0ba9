// Quantities as the numbers that a kubelet computes with; what is absent counts as nothing.
import { approximateValueOf, milliValueOf, valueOf } from '#api/meta/quantity.ts';

/** The number a quantity stands for. */
export const amountOf = (quantity: string | undefined): number => (quantity === undefined ? 0 : approximateValueOf(quantity));

/** Thousandths, rounded up: how CPU is counted. */
export const milliOf = (quantity: string | undefined): number => (quantity === undefined ? 0 : milliValueOf(quantity));

/** Whole units, rounded up: bytes and counts. */
export const wholeOf = (quantity: string | undefined): number => (quantity === undefined ? 0 : valueOf(quantity));
