// Replication controllers on a real API server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pods, replicationcontrollers } from '#api/generated/resources.ts';
import { report, startTestCluster, template } from '#root/test/support/controllers-cluster.ts';
import { replicationController } from './controller.ts';

test('a replication controller selects by its template, keeps its number of pods, and scales', async () => {
  const cluster = await startTestCluster([replicationController]);
  try {
    await cluster.client.create(replicationcontrollers, {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'web', namespace: 'default' },
      spec: { replicas: 2, template: template() },
    });
    await cluster.settle();
    const created = await cluster.list(pods);
    assert.deepEqual(
      created.map(({ metadata }) => metadata.ownerReferences?.[0]?.kind),
      ['ReplicationController', 'ReplicationController'],
    );
    await report(cluster, created);
    const ref = { namespace: 'default', name: 'web' };
    const reported = await cluster.client.get(replicationcontrollers, ref);
    assert.deepEqual(reported.spec.selector, { app: 'web' });
    assert.deepEqual(reported.status, {
      observedGeneration: 1,
      replicas: 2,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
    });
    const scale = await cluster.client.get(replicationcontrollers as never, ref, { subresource: 'scale' });
    assert.deepEqual((scale as unknown as { status: object }).status, { replicas: 2, selector: 'app=web' });
    await cluster.client.patch(replicationcontrollers, ref, { type: 'merge', body: { spec: { replicas: 0 } } }, { subresource: 'scale' });
    await cluster.settle();
    assert.ok((await cluster.list(pods)).every(({ metadata }) => metadata.deletionTimestamp !== undefined));
  } finally {
    await cluster.stop();
  }
});
