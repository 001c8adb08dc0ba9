// Several runs of a measure as one row each, and rows as a table.
import type { Budget, Reading } from './measure.ts';

export interface Row {
  measure: string;
  name: string;
  unit: string;
  min: number;
  median: number;
  max: number;
  runs: number;
  budget?: Budget;
  /** How many times over the budget it is kept: 1 or more is within it. */
  margin?: number;
  note?: string;
}

export function summarize(measure: string, runs: readonly Reading[][]): Row[] {
  return runs[0]!.map(({ name, unit, budget, note }) => {
    const values = runs.map((run) => run.find((reading) => reading.name === name)!.value).sort((one, other) => one - other);
    const median = middleOf(values);
    return {
      measure,
      name,
      unit,
      min: values[0]!,
      median,
      max: values.at(-1)!,
      runs: values.length,
      ...(budget && { budget, margin: marginOf(median, budget) }),
      ...(note !== undefined && { note }),
    };
  });
}

function marginOf(value: number, { bound, value: limit }: Budget): number {
  return bound === 'at most' ? limit / value : value / limit;
}

function middleOf(sorted: readonly number[]): number {
  const half = sorted.length / 2;
  return Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[Math.floor(half)]!;
}

/** Of values in ascending order. */
export function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))]!;
}

export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.measure,
    row.name,
    figure(row.median),
    row.unit,
    row.runs > 1 ? `${figure(row.min)} – ${figure(row.max)}` : '',
    row.budget ? `${row.budget.bound === 'at most' ? '≤' : '≥'} ${figure(row.budget.value)}` : '',
    row.margin === undefined ? '' : row.margin >= 1 ? `kept ${row.margin.toFixed(1)} ×` : `missed ${(1 / row.margin).toFixed(1)} ×`,
    row.note ?? '',
  ]);
  const all = [['measure', 'what', 'median', 'unit', 'min – max', 'budget', '', 'note'], ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n'); // prettier-ignore
}

export function figure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
