// Durable writes as programs outside do them: HTTP/2 over TLS against the daemon, authentication and RBAC included.
import { configmaps } from '#api/generated/resources.ts';
import type { Measure, Reading } from '../measure.ts';
import { startDaemon } from '../support/daemon.ts';
import { sampleConfigMap } from '../support/sample-pods.ts';
import { writesPerSecond } from '../support/concurrent-writers.ts';
import { cpuMsOf } from '../support/process-figures.ts';

export const durableWritesOverHttps: Measure = {
  name: 'durable-writes-https',
  runs: 3,
  async measure({ quick }) {
    await using daemon = await startDaemon({ nodes: 0 });
    const client = await daemon.client();
    const readings: Reading[] = [];
    for (const clients of [1, 16, 64]) {
      let writes = 0;
      const cpuBefore = await cpuMsOf(daemon.pid);
      const { perSecond } = await writesPerSecond(clients, quick ? 100 : 3000, (number) => {
        writes++;
        return client.create(configmaps, sampleConfigMap(`map-${clients}-${number}`));
      });
      const micros = (((await cpuMsOf(daemon.pid)) - cpuBefore) * 1000) / writes;
      const note = `config maps of 2 KB, one client process; ${Math.round(micros)} µs CPU of the daemon each`;
      readings.push({ name: `durable creates over HTTPS, ${clients} clients`, value: perSecond, unit: '/s', note });
    }
    client.close();
    return readings;
  },
};
