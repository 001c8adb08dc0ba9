// The library, used as its users use it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '#api/generated/apps-v1.ts';
import { deployments, pods } from '#api/generated/resources.ts';
import { createCluster } from './create-cluster.ts';
import { eventually } from './eventually.ts';

const deployment = (name: string, replicas: number): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'nginx', image: 'nginx' }] } },
  },
});

test('a deployment becomes running pods on simulated nodes', async () => {
  await using cluster = await createCluster({ nodes: 2 });
  await cluster.client.create(deployments, deployment('web', 3));
  await eventually(cluster.client, pods, { labelSelector: 'app=web' }, (all) => {
    assert.equal(all.length, 3);
    assert.deepEqual(
      all.map((pod) => pod.status?.phase),
      ['Running', 'Running', 'Running'],
    );
  });
  await eventually(cluster.client, deployments, {}, ([web]) => assert.equal(web!.status?.availableReplicas, 3));
});
