// createCluster() of keks/testing: in a process that has loaded nothing yet, and again in a warm one.
import { fileURLToPath } from 'node:url';
import { run } from '#lib/command.ts';
import type { Measure } from '../measure.ts';
import { atMost } from '../measure.ts';

const probe = fileURLToPath(new URL('../support/library-probe.ts', import.meta.url));
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/keks', import.meta.url));

export const library: Measure = {
  name: 'library',
  runs: 6,
  async measure() {
    const output = await run(process.execPath, ['--disable-warning=ExperimentalWarning', probe], {
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    });
    const { importMs, coldMs, warmMs } = JSON.parse(output) as { importMs: number; coldMs: number; warmMs: number };
    const cold = 'first of a process, 1 node, memory store';
    return [
      { name: 'import of keks/testing', value: importMs, unit: 'ms', note: 'from a compile cache' },
      { name: 'createCluster(), cold', value: coldMs, unit: 'ms', budget: atMost(100), note: cold },
      { name: 'import and createCluster()', value: importMs + coldMs, unit: 'ms' },
      { name: 'createCluster(), warm', value: warmMs, unit: 'ms', note: 'median of the next ten' },
    ];
  },
};
