// Memory of the daemon with one cluster of two nodes, and what each further idle cluster adds.
import { CreateClusterCommand, waitUntilClusterActive } from '@aws-sdk/client-eks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measure } from '../measure.ts';
import { atMost } from '../measure.ts';
import type { Daemon } from '../support/daemon.ts';
import { startDaemon } from '../support/daemon.ts';
import { memoryOf } from '../support/process-figures.ts';
import { clusterInput } from './another-cluster.ts';

export const memory: Measure = {
  name: 'memory',
  runs: 1,
  async measure({ quick }) {
    await using daemon = await startDaemon({ nodes: 2 });
    const further = quick ? 1 : 10;
    const settleMs = quick ? 500 : 10_000;
    await sleep(settleMs);
    const untouched = await memoryOf(daemon.pid);
    const before = await settled(daemon, settleMs);
    const eks = await daemon.eks();
    for (let number = 0; number < further; number++) {
      const name = `idle-${number}`;
      await eks.send(new CreateClusterCommand(clusterInput(name)));
      await waitUntilClusterActive({ client: eks, maxWaitTime: 60, minDelay: 1 }, { name });
    }
    eks.destroy();
    const after = await settled(daemon, settleMs);
    return [
      {
        name: 'daemon with one cluster, RSS',
        value: untouched.rssMb,
        unit: 'MB',
        budget: atMost(150),
        note: 'as users have it, after 10 s',
      },
      { name: 'daemon with one cluster, RSS after a collection', value: before.rssMb, unit: 'MB' },
      { name: 'daemon with one cluster, PSS after a collection', value: before.pssMb, unit: 'MB' },
      {
        name: 'each further idle cluster',
        value: (after.rssMb - before.rssMb) / further,
        unit: 'MB',
        budget: atMost(5),
        note: `RSS of ${further} more, after a collection`,
      },
    ]; // prettier-ignore
  },
};

async function settled(daemon: Daemon, settleMs: number): Promise<{ rssMb: number; pssMb: number }> {
  for (let time = 0; time < 3; time++) {
    await sleep(settleMs / 4);
    daemon.collectGarbage();
  }
  await sleep(settleMs / 4);
  return memoryOf(daemon.pid);
}
