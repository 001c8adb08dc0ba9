// Claims and volumes in a whole cluster: bound, used, protected, reclaimed.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import { events, persistentvolumeclaims, persistentvolumes, pods } from '#api/generated/resources.ts';
import { createCluster } from './create-cluster.ts';
import { eventually } from './eventually.ts';

const claim = (name: string, spec: Partial<PersistentVolumeClaim['spec']> = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const user = (claimName: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'user', namespace: 'default' },
  spec: {
    containers: [{ name: 'c', image: 'nginx', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
  },
});
const named = (name: string) => ({ namespace: 'default', name });

async function withVolumes(run: (cluster: Awaited<ReturnType<typeof createCluster>>, removed: string[]) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'keks-volumes-'));
  const removed: string[] = [];
  {
    await using cluster = await createCluster({ volumes: { directory, remove: async (path) => void removed.push(path) } });
    await run(cluster, removed);
  }
  await rm(directory, { recursive: true });
}

test('a claim of the default class is bound to a volume made for it, and goes with it when deleted', async () => {
  await withVolumes(async ({ client }, removed) => {
    await client.create(persistentvolumeclaims, claim('data'));
    const [bound] = await eventually(client, persistentvolumeclaims, {}, ([data]) => assert.equal(data?.status?.phase, 'Bound'));
    assert.equal(bound!.spec.storageClassName, 'keks-local');
    assert.deepEqual(bound!.status?.capacity, { storage: '1Gi' });
    const volume = await client.get(persistentvolumes, { name: bound!.spec.volumeName! });
    assert.equal(volume.spec.claimRef?.uid, bound!.metadata.uid);
    assert.equal(volume.status?.phase, 'Bound');

    await client.create(pods, user('data'));
    await eventually(client, pods, {}, ([pod]) => assert.equal(pod?.status?.phase, 'Running'));
    await client.delete(persistentvolumeclaims, named('data'));
    const [waiting] = await eventually(client, persistentvolumeclaims, {}, ([data]) => assert(data?.metadata.deletionTimestamp));
    assert.deepEqual(waiting!.metadata.finalizers, ['kubernetes.io/pvc-protection'], 'a claim in use is not deleted');

    await client.delete(pods, named('user'), { gracePeriodSeconds: 0 });
    await eventually(client, persistentvolumeclaims, {}, (all) => assert.deepEqual(all, []));
    await eventually(client, persistentvolumes, {}, (all) => assert.deepEqual(all, []));
    assert.deepEqual(removed, [volume.spec.hostPath!.path]);
  });
});

test('a claim takes the smallest volume that fits, and only with the access modes and class it asks for', async () => {
  await withVolumes(async ({ client }) => {
    const volume = (name: string, storage: string, accessModes = ['ReadWriteOnce']) =>
      client.create(persistentvolumes, {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name },
        spec: { capacity: { storage }, accessModes, hostPath: { path: '/tmp/x' }, storageClassName: 'manual' },
      });
    await volume('too-small', '500Mi');
    await volume('large', '10Gi');
    await volume('fits', '2Gi');
    await volume('shared', '1Gi', ['ReadOnlyMany']);
    await client.create(persistentvolumeclaims, claim('data', { storageClassName: 'manual' }));
    const [bound] = await eventually(client, persistentvolumeclaims, {}, ([data]) => assert.equal(data?.status?.phase, 'Bound'));
    assert.equal(bound!.spec.volumeName, 'fits');
    const others = await client.list(persistentvolumes);
    assert.deepEqual(
      others.items.filter(({ status }) => status?.phase === 'Available').map(({ metadata }) => metadata.name),
      ['large', 'shared', 'too-small'],
    );
  });
});

test('a volume that is kept is Released when its claim is gone, and no directory but our own is ever removed', async () => {
  await withVolumes(async ({ client }, removed) => {
    await client.create(persistentvolumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'trap', annotations: { 'pv.kubernetes.io/provisioned-by': 'local.keks.dev' } },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/etc' },
        storageClassName: 'manual',
        persistentVolumeReclaimPolicy: 'Delete',
      },
    });
    await client.create(persistentvolumeclaims, claim('data', { storageClassName: 'manual' }));
    await eventually(client, persistentvolumeclaims, {}, ([data]) => assert.equal(data?.status?.phase, 'Bound'));
    await client.delete(persistentvolumeclaims, named('data'));
    await eventually(client, persistentvolumes, {}, ([trap]) => assert.equal(trap?.status?.phase, 'Released'));
    assert.deepEqual(removed, []);
  });
});

test('a claim of a class that does not exist, or of none, says why it waits', async () => {
  await withVolumes(async ({ client }) => {
    await client.create(persistentvolumeclaims, claim('lost', { storageClassName: 'nowhere' }));
    await client.create(persistentvolumeclaims, claim('none', { storageClassName: '' }));
    await eventually(client, events, {}, (all) => {
      const messageOf = (name: string) => all.find(({ involvedObject }) => involvedObject.name === name)?.message;
      assert.equal(messageOf('lost'), 'storageclass.storage.k8s.io "nowhere" not found');
      assert.equal(messageOf('none'), 'no persistent volumes available for this claim and no storage class is set');
    });
    await client.create(pods, user('none'));
    await eventually(client, pods, {}, ([pod]) => {
      const condition = pod?.status?.conditions?.find(({ type }) => type === 'PodScheduled');
      assert.equal(condition?.message, '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.');
    });
  });
});
