// What a kubelet may see: exactly what the pods on its node refer to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessAttributes } from '#api/meta/access.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { createNodeAuthorizer } from './node.ts';

const pod: Pod = {
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    nodeName: 'a',
    serviceAccountName: 'runner',
    containers: [{ name: 'c', envFrom: [{ configMapRef: { name: 'settings' } }] }],
    volumes: [
      { name: 's', secret: { secretName: 'tls' } },
      { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
    ],
  },
};
const authorize = createNodeAuthorizer({
  podsOnNode: (node) => (node === 'a' ? [pod] : []),
  claim: (namespace, name) => (namespace === 'shop' && name === 'data' ? { metadata: { name }, spec: { volumeName: 'pv-1' } } : undefined),
});
const ask = (node: string, more: Partial<AccessAttributes>) =>
  authorize({
    user: { name: `system:node:${node}`, groups: ['system:nodes', 'system:authenticated'] },
    verb: 'get',
    isResourceRequest: true,
    group: '',
    version: 'v1',
    resource: 'secrets',
    subresource: '',
    namespace: 'shop',
    name: 'tls',
    path: '',
    ...more,
  });

test('a node reads what its pods refer to and nothing else', () => {
  assert.equal(ask('a', {}).decision, 'allow');
  assert.equal(ask('a', { verb: 'watch' }).decision, 'allow');
  assert.equal(ask('a', { resource: 'configmaps', name: 'settings' }).decision, 'allow');
  assert.equal(ask('a', { resource: 'persistentvolumeclaims', name: 'data' }).decision, 'allow');
  assert.equal(ask('a', { resource: 'persistentvolumes', name: 'pv-1', namespace: '' }).decision, 'allow');
  assert.deepEqual(ask('b', {}), { decision: 'none', reason: "no relationship found between node 'b' and this object" });
  assert.equal(ask('a', { name: 'other' }).decision, 'none');
  assert.equal(ask('a', { verb: 'list', name: '' }).reason, 'No Object name found');
  assert.equal(ask('a', { verb: 'update' }).decision, 'none');
});

test('a node gets tokens only for accounts of its pods, and writes only its own node and lease', () => {
  const token = { verb: 'create', resource: 'serviceaccounts', subresource: 'token' };
  assert.equal(ask('a', { ...token, name: 'runner' }).decision, 'allow');
  assert.equal(ask('a', { ...token, name: 'default' }).decision, 'none');
  assert.equal(ask('a', { verb: 'patch', resource: 'nodes', subresource: 'status', name: 'a', namespace: '' }).decision, 'allow');
  assert.equal(ask('a', { verb: 'patch', resource: 'nodes', subresource: 'status', name: 'b', namespace: '' }).decision, 'none');
  const lease = { verb: 'update', group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-node-lease' };
  assert.equal(ask('a', { ...lease, name: 'a' }).decision, 'allow');
  assert.equal(ask('a', { ...lease, name: 'b' }).decision, 'none');
  assert.equal(ask('a', { ...lease, name: 'a', namespace: 'kube-system' }).decision, 'none');
});

test('who is not a node is none of its business', () => {
  const joe = { user: { name: 'system:node:a', groups: [] } };
  assert.deepEqual(ask('a', joe), { decision: 'none', reason: '' });
});
