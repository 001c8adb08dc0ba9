// What creating a pod costs in CPU: every rule — decoding, defaults, admission, validation, encoding — without disk or wire.
import { pods } from '#api/generated/resources.ts';
import { createCluster } from '#testing/create-cluster.ts';
import type { Measure } from '../measure.ts';
import { largePod, samplePod } from '../support/sample-pods.ts';
import { writesPerSecond } from '../support/concurrent-writers.ts';

export const podCreation: Measure = {
  name: 'pod-creation',
  runs: 4,
  async measure({ quick }) {
    await using cluster = await createCluster({ nodes: 0 });
    const { client } = cluster;
    const durationMs = quick ? 100 : 2500;
    const small = await writesPerSecond(16, durationMs, (number) =>
      client.create(pods, samplePod(`small-${number}`, { schedulerName: 'nobody', containers: [{ name: 'web', image: 'nginx' }] })),
    );
    const large = await writesPerSecond(16, durationMs, (number) => client.create(pods, largePod(`large-${number}`)));
    return [
      {
        name: 'create of a small pod, CPU',
        value: small.cpuMicros,
        unit: 'µs',
        note: 'in process, memory store, all watchers of a cluster',
      },
      { name: 'create of a 2 KB pod, CPU', value: large.cpuMicros, unit: 'µs', note: 'two containers, 20 variables, probes' },
    ];
  },
};
