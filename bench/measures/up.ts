// How long `keks up` takes on a new home: from the shell to two Ready simulated nodes, checked through the API.
import assert from 'node:assert/strict';
import { nodes } from '#api/generated/resources.ts';
import type { Measure } from '../measure.ts';
import { atMost } from '../measure.ts';
import { startDaemon } from '../support/daemon.ts';

export const up: Measure = {
  name: 'up',
  runs: 6,
  async measure() {
    const start = performance.now();
    await using daemon = await startDaemon({ nodes: 2 });
    const seconds = (performance.now() - start) / 1000;
    const client = await daemon.client();
    const { items } = await client.list(nodes);
    client.close();
    const ready = items.filter(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'));
    assert.equal(ready.length, 2);
    const again = performance.now();
    await daemon.keks('up', '--output', 'json', '--runtime', 'simulated');
    return [
      { name: 'keks up, new home → 2 Ready nodes', value: seconds, unit: 's', budget: atMost(1), note: 'set-up done, simulated nodes' },
      { name: 'keks up again', value: (performance.now() - again) / 1000, unit: 's', note: 'everything is there already' },
    ];
  },
};
