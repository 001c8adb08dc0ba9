// cluster.fork() of keks/testing with 10,000 objects: from the call to a fork that serves requests, and the store's part of it.
import assert from 'node:assert/strict';
import type { ConfigMap } from '#api/generated/core-v1.ts';
import { configmaps } from '#api/generated/resources.ts';
import { createMemoryStore } from '#store/memory.ts';
import { createCluster } from '#testing/create-cluster.ts';
import type { Measure } from '../measure.ts';
import { atMost } from '../measure.ts';
import { percentile } from '../summary.ts';

const configMap = (number: number): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: `object-${number}`, namespace: 'default' },
  data: { text: `${number} `.padEnd(1_000, 'x') },
});

export const fork: Measure = {
  name: 'fork',
  runs: 3,
  async measure({ quick }) {
    const objects = quick ? 500 : 10_000;
    const forks = quick ? 2 : 11;
    const store = createMemoryStore();
    await using source = await createCluster({ nodes: 1, store });
    for (let number = 0; number < objects; number++) await source.client.create(configmaps, configMap(number));
    const wholeMs: number[] = [];
    const storeMs: number[] = [];
    for (let time = 0; time < forks; time++) {
      let start = performance.now();
      await store.fork().close();
      storeMs.push(performance.now() - start);
      start = performance.now();
      const forked = await source.fork();
      wholeMs.push(performance.now() - start);
      assert.equal((await forked.client.list(configmaps, { namespace: 'default' })).items.length, objects + 1);
      await forked.stop();
    }
    const median = (times: number[]) =>
      percentile(
        times.toSorted((one, other) => one - other),
        50,
      );
    const note = `${objects} objects of 1 KB, median of ${forks}`;
    return [
      {
        name: 'cluster.fork(), API server, controllers, scheduler and node running',
        value: median(wholeMs),
        unit: 'ms',
        budget: atMost(50),
        note,
      },
      { name: 'fork of its memory store alone', value: median(storeMs), unit: 'ms', note },
    ];
  },
};
