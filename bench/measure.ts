// What a benchmark is: a function that answers figures. One file per measure; all.ts lists them.

export interface Reading {
  /** What is measured, in a reader's words. */
  name: string;
  value: number;
  unit: string;
  /** The bound that DESIGN.md sets for it; absent where it sets none. */
  budget?: Budget;
  /** What is compared or left out. */
  note?: string;
}

export interface Budget {
  bound: 'at most' | 'at least';
  value: number;
}

export interface Skipped {
  skipped: string;
}

export interface MeasureOptions {
  /** Seconds instead of minutes: shows that the benchmark works, not what the figures are. */
  quick: boolean;
}

export interface Measure {
  /** `npm run bench -- NAME` */
  name: string;
  /** How often it is repeated; the first of them warms up and is dropped where there are several. */
  runs: number;
  /** Cleans up after itself. */
  measure(options: MeasureOptions): Promise<Reading[] | Skipped>;
}

export const atMost = (value: number): Budget => ({ bound: 'at most', value });
export const atLeast = (value: number): Budget => ({ bound: 'at least', value });
