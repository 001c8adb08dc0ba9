// What a cluster with two nodes costs while nobody asks for anything.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measure } from '../measure.ts';
import { atMost } from '../measure.ts';
import { startDaemon } from '../support/daemon.ts';
import { cpuMsOf } from '../support/process-figures.ts';

export const idleCpu: Measure = {
  name: 'idle-cpu',
  runs: 1,
  async measure({ quick }) {
    await using daemon = await startDaemon({ nodes: 2 });
    await sleep(quick ? 100 : 5000);
    const periodMs = quick ? 500 : 20_000;
    const before = await cpuMsOf(daemon.pid);
    await sleep(periodMs);
    const percent = ((await cpuMsOf(daemon.pid)) - before) / (periodMs / 100);
    return [{ name: 'idle, 2 nodes', value: percent, unit: '% of a core', budget: atMost(0.5), note: `over ${periodMs / 1000} s` }];
  },
};
