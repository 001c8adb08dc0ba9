// npm run bench [-- NAME…] [--quick] [--json FILE]: measures and prints one table. Results are never committed.
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { keepAliveDuring } from '#lib/keep-alive.ts';
import { measures } from './all.ts';
import type { Measure, MeasureOptions, Reading } from './measure.ts';
import type { Row } from './summary.ts';
import { summarize, table } from './summary.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const unknown = positionals.filter((name) => !measures.some((measure) => measure.name === name));
if (unknown.length > 0) {
  process.stderr.write(`bench: no measure ${unknown.join(', ')}; there are: ${measures.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
const chosen = positionals.length === 0 ? measures : measures.filter(({ name }) => positionals.includes(name));
process.exitCode = await keepAliveDuring(runAll(chosen, flags));

async function runAll(all: readonly Measure[], options: MeasureOptions & { json?: string | undefined }): Promise<number> {
  const rows: Row[] = [];
  const skipped: Record<string, string> = {};
  let failures = 0;
  for (const measure of all) {
    process.stderr.write(`${measure.name} …\n`);
    try {
      const outcome = await runOne(measure, options);
      if ('skipped' in outcome) skipped[measure.name] = outcome.skipped;
      else rows.push(...summarize(measure.name, outcome.runs));
    } catch (error) {
      failures++;
      process.stderr.write(`${measure.name} failed: ${(error as Error).stack}\n`);
    }
  }
  if (rows.length > 0) process.stdout.write(`${table(rows)}\n`);
  for (const [name, why] of Object.entries(skipped)) process.stdout.write(`skipped ${name}: ${why}\n`);
  if (options.json !== undefined) {
    const machine = {
      node: process.version,
      cpus: cpus().length,
      cpu: cpus()[0]?.model,
      memoryBytes: totalmem(),
      platform: process.platform,
    };
    await writeFile(options.json, `${JSON.stringify({ machine, quick: options.quick, rows, skipped }, null, 2)}\n`);
  }
  return failures === 0 ? 0 : 1;
}

async function runOne(measure: Measure, options: MeasureOptions): Promise<{ runs: Reading[][] } | { skipped: string }> {
  const runs: Reading[][] = [];
  const times = options.quick ? 1 : measure.runs;
  for (let run = 0; run < times; run++) {
    const readings = await measure.measure(options);
    if ('skipped' in readings) return readings;
    // The first of several runs only warms the caches of disk and compiler.
    if (run > 0 || times === 1) runs.push(readings);
  }
  return { runs };
}
