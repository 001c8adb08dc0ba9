// Durable writes through the API server on SQLite, its clients in the same process: every rule of a create, then a commit on the disk.
import { configmaps, pods } from '#api/generated/resources.ts';
import type { Measure, Reading } from '../measure.ts';
import { largePod, sampleConfigMap } from '../support/sample-pods.ts';
import { createSqliteCluster } from '../support/sqlite-cluster.ts';
import { writesPerSecond } from '../support/concurrent-writers.ts';

export const durableWrites: Measure = {
  name: 'durable-writes',
  runs: 3,
  async measure({ quick }) {
    await using cluster = await createSqliteCluster();
    const { client } = cluster;
    const durationMs = quick ? 100 : 3000;
    const readings: Reading[] = [];
    for (const clients of [1, 16, 64]) {
      const { perSecond, cpuMicros } = await writesPerSecond(clients, durationMs, (number) =>
        client.create(configmaps, sampleConfigMap(`map-${clients}-${number}`)),
      );
      const note = `in process, config maps of 2 KB; ${Math.round(cpuMicros)} µs CPU each, all threads`;
      readings.push({ name: `durable creates, ${clients} clients`, value: perSecond, unit: '/s', note });
    }
    const { perSecond } = await writesPerSecond(64, durationMs, (number) => client.create(pods, largePod(`pod-${number}`)));
    return [...readings, { name: 'durable creates of pods, 64 clients', value: perSecond, unit: '/s', note: 'in process, pods of 2 KB' }];
  },
};
