// Pods scheduled per second on 1,000 and 5,000 nodes: from the first create to the last binding, API server and controllers in the same process.
import { nodes, pods } from '#api/generated/resources.ts';
import type { Node } from '#api/generated/core-v1.ts';
import { toTime } from '#lib/clock.ts';
import { createCluster } from '#testing/create-cluster.ts';
import type { TestCluster } from '#testing/create-cluster.ts';
import type { Measure, Reading } from '../measure.ts';
import { samplePod } from '../support/sample-pods.ts';

export const scheduling: Measure = {
  name: 'scheduling',
  runs: 1,
  async measure({ quick }) {
    const readings: Reading[] = [];
    for (const [nodeCount, podCount] of quick
      ? [[20, 50] as const]
      : ([
          [1000, 2000],
          [5000, 2000],
        ] as const)) {
      await using cluster = await createCluster({ nodes: 0 });
      await createNodes(cluster, nodeCount);
      await schedule(cluster, podCount / 4, 'warm');
      const perSecond = await schedule(cluster, podCount, 'pod');
      const note = 'bare nodes, memory store, creation of the pods included; one thread does it all';
      readings.push({ name: `pods scheduled on ${nodeCount} nodes`, value: perSecond, unit: '/s', note });
    }
    return readings;
  },
};

async function schedule({ client }: TestCluster, count: number, prefix: string): Promise<number> {
  const bound = new Set<string>();
  const all = Promise.withResolvers<void>();
  const { metadata } = await client.list(pods);
  const watch = client.watch(pods, { resourceVersion: metadata.resourceVersion! }, (events) => {
    for (const event of events) {
      if (event.type !== 'BOOKMARK' && event.object.spec.nodeName) bound.add(event.object.metadata.name!);
    }
    if (bound.size >= count) all.resolve();
  });
  const start = performance.now();
  let next = 0;
  const creator = async () => {
    while (next < count) await client.create(pods, samplePod(`${prefix}-${next++}`));
  };
  await Promise.all(Array.from({ length: 16 }, creator));
  await all.promise;
  watch.close();
  return count / ((performance.now() - start) / 1000);
}

async function createNodes({ client }: TestCluster, count: number): Promise<void> {
  for (let number = 0; number < count; number++) await client.create(nodes, bareNode(`node-${number}`, number));
}

/** Ready as its kubelet left it: the controllers wait longer than the measure takes before they miss its heartbeats. */
function bareNode(name: string, number: number): Node {
  const capacity = { cpu: '4', memory: '16Gi', pods: '110' };
  const now = toTime(Date.now());
  const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `us-east-1${'abc'[number % 3]}` };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    spec: {},
    status: {
      capacity,
      allocatable: capacity,
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now }],
    },
  } as Node;
}
