// Every component tells its metrics through the API server, and only to those who may read them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubectlCluster } from '../support/kubectl-cluster.ts';
import { startKubectlCluster } from '../support/kubectl-cluster.ts';

describe('metrics', () => {
  let cluster: KubectlCluster;
  before(async () => {
    cluster = await startKubectlCluster({ nodes: 1 });
  });
  after(() => cluster.stop());

  const components: [string, string][] = [
    ['/metrics', 'apiserver_request_total'],
    ['/apis/metrics.eks.amazonaws.com/v1/kcm/container/metrics', 'workqueue_depth'],
    ['/apis/metrics.eks.amazonaws.com/v1/ksh/container/metrics', 'scheduler_pending_pods'],
    ['/api/v1/nodes/node-1/proxy/metrics', 'kubelet_node_name'],
  ];
  for (const [path, metric] of components) {
    test(`${path} has ${metric}`, async () => {
      assert.match(await cluster.ok('get', '--raw', path), new RegExp(`^# TYPE ${metric} `, 'm'));
    });
    test(`${path} is refused to whoever may not read it`, async () => {
      const said = await cluster.fails('get', '--raw', path, '--as', 'nobody');
      assert.match(said, /Error from server \(Forbidden\): .*User "nobody" cannot get /);
    });
  }

  test('a path that looks like a resource and is none is not found', async () => {
    const said = await cluster.fails('get', '--raw', '/apis/metrics.eks.amazonaws.com/v1/etcd/container/metrics');
    assert.match(said, /the server could not find the requested resource/);
  });
});
