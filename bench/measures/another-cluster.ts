// A second cluster in a daemon that runs: from CreateCluster to the DescribeCluster that says ACTIVE, through AWS' own SDK.
import assert from 'node:assert/strict';
import { CreateClusterCommand, DeleteClusterCommand, DescribeClusterCommand, waitUntilClusterDeleted } from '@aws-sdk/client-eks';
import type { Measure } from '../measure.ts';
import { atMost } from '../measure.ts';
import { percentile } from '../summary.ts';
import { startDaemon } from '../support/daemon.ts';

export const anotherCluster: Measure = {
  name: 'another-cluster',
  runs: 3,
  async measure({ quick }) {
    await using daemon = await startDaemon({ nodes: 2 });
    const eks = await daemon.eks();
    const times: number[] = [];
    for (let number = 0; number < (quick ? 2 : 10); number++) {
      const name = `more-${number}`;
      const start = performance.now();
      await eks.send(new CreateClusterCommand(clusterInput(name)));
      const { cluster } = await eks.send(new DescribeClusterCommand({ name }));
      times.push(performance.now() - start);
      assert.equal(cluster?.status, 'ACTIVE');
      await eks.send(new DeleteClusterCommand({ name }));
      // The next one is not to be measured beside its end.
      await waitUntilClusterDeleted({ client: eks, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { name });
    }
    eks.destroy();
    const [first, ...later] = times;
    later.sort((one, other) => one - other);
    return [
      {
        name: 'another cluster → ACTIVE',
        value: percentile(later, 50),
        unit: 'ms',
        budget: atMost(50),
        note: 'p50, own SQLite store, durable',
      },
      { name: 'the first other cluster → ACTIVE', value: first!, unit: 'ms', note: 'SDK and daemon not warmed up' },
    ];
  },
};

export function clusterInput(name: string) {
  return { name, roleArn: 'arn:aws:iam::123456789012:role/bench', resourcesVpcConfig: { subnetIds: ['subnet-0a', 'subnet-0b'] } };
}
