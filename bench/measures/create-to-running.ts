// From creating a pod to the event that says Running, on simulated nodes: over HTTPS against the daemon, and in process with the library.
import { createCluster } from '#testing/create-cluster.ts';
import type { Measure } from '../measure.ts';
import { atMost } from '../measure.ts';
import { startDaemon } from '../support/daemon.ts';
import { runningLatency } from '../support/running-latency.ts';

export const createToRunning: Measure = {
  name: 'create-to-running',
  runs: 2,
  async measure({ quick }) {
    const options = { count: quick ? 5 : 300, warmUp: quick ? 0 : 100 };
    const remote = await overHttps(options);
    await using cluster = await createCluster({ nodes: 2 });
    const local = await runningLatency(cluster.client, options);
    const note = 'simulated node, durable SQLite, watch of another process';
    return [
      { name: 'create → Running over HTTPS, p50', value: remote.p50, unit: 'ms', budget: atMost(10), note },
      { name: 'create → Running over HTTPS, p99', value: remote.p99, unit: 'ms', note },
      { name: 'create → Running in the library, p50', value: local.p50, unit: 'ms', note: 'memory store' },
      { name: 'create → Running in the library, p99', value: local.p99, unit: 'ms', note: 'memory store' },
    ];
  },
};

async function overHttps(options: { count: number; warmUp: number }): Promise<{ p50: number; p99: number }> {
  await using daemon = await startDaemon({ nodes: 2 });
  const client = await daemon.client();
  try {
    return await runningLatency(client, options);
  } finally {
    client.close();
  }
}
