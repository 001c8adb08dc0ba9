// What the admission plugins add and refuse, seen in the objects that come out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodSpec } from '#api/generated/core-v1.ts';
import {
  certificatesigningrequests,
  configmaps,
  leases,
  namespaces,
  nodes,
  persistentvolumeclaims,
  pods,
  priorityclasses,
  serviceaccounts,
  storageclasses,
} from '#api/generated/resources.ts';
import type { CertificateSigningRequest } from '#api/generated/certificates-v1.ts';
import { createRequest } from '#lib/certificates.ts';
import { admin, startTestServer } from '../server.fixture.ts';

const pod = (name: string, spec: Partial<PodSpec> = {}): Pod => ({
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'main', image: 'nginx' }], ...spec },
});
const kubelet = (name: string) => ({ name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] });

test('a pod runs as the default account and finds its token', async () => {
  const { client } = await startTestServer();
  const { spec } = await client.create(pods, pod('a'));
  assert.equal(spec!.serviceAccountName, 'default');
  const [mount] = spec!.containers[0]!.volumeMounts!;
  assert.deepEqual([mount!.mountPath, mount!.readOnly], ['/var/run/secrets/kubernetes.io/serviceaccount', true]);
  assert.match(mount!.name, /^kube-api-access-[a-z0-9]{5}$/);
  assert.deepEqual(
    spec!.volumes!.map(({ name }) => name),
    [mount!.name],
  );
});

test('a pod that wants no token gets none, by its own word or its account’s', async () => {
  const { client } = await startTestServer();
  const own = await client.create(pods, pod('a', { automountServiceAccountToken: false }));
  assert.equal(own.spec!.volumes, undefined);
  await client.create(serviceaccounts, { metadata: { name: 'quiet', namespace: 'default' }, automountServiceAccountToken: false });
  const quiet = await client.create(pods, pod('b', { serviceAccountName: 'quiet' }));
  assert.equal(quiet.spec!.volumes, undefined);
});

test('a pod of an account that does not exist is refused', async () => {
  const { client } = await startTestServer();
  await assert.rejects(client.create(pods, pod('a', { serviceAccountName: 'nobody' })), {
    message: 'pods "a" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
  });
  const generated = { ...pod('x', { serviceAccountName: 'nobody' }), metadata: { generateName: 'web-', namespace: 'default' } };
  await assert.rejects(client.create(pods, generated), /^ApiError: pods "web-" is forbidden/);
});

test('the first pod of a new namespace waits for the default account', async () => {
  const { client, clock } = await startTestServer();
  await client.create(namespaces, { metadata: { name: 'new' }, spec: {} });
  const created = client.create(pods, { ...pod('a'), metadata: { name: 'a', namespace: 'new' } });
  await client.create(serviceaccounts, { metadata: { name: 'default', namespace: 'new' } });
  assert.equal((await created).spec!.serviceAccountName, 'default');
  await client.create(namespaces, { metadata: { name: 'other' }, spec: {} });
  const refused = assert.rejects(
    client.create(pods, { ...pod('a'), metadata: { name: 'a', namespace: 'other' } }),
    /error looking up service account other\/default/,
  );
  await clock.advance(2_000);
  await refused;
});

test('priority comes from the class, and nothing else', async () => {
  const { client } = await startTestServer();
  await client.create(priorityclasses, { metadata: { name: 'high' }, value: 1000 });
  const high = await client.create(pods, pod('a', { priorityClassName: 'high' }));
  assert.deepEqual([high.spec!.priority, high.spec!.preemptionPolicy], [1000, 'PreemptLowerPriority']);
  assert.equal((await client.create(pods, pod('b'))).spec!.priority, 0);
  await assert.rejects(client.create(pods, pod('c', { priorityClassName: 'none' })), {
    message: 'pods "c" is forbidden: no PriorityClass with name none was found',
  });
  await assert.rejects(
    client.create(pods, pod('d', { priority: 7 })),
    /the integer value of priority \(7\) must not be provided in pod spec; priority admission controller computed 0/,
  );
  await client.create(priorityclasses, { metadata: { name: 'base' }, value: 5, globalDefault: true });
  assert.equal((await client.create(pods, pod('e'))).spec!.priorityClassName, 'base');
  await assert.rejects(
    client.create(priorityclasses, { metadata: { name: 'base2' }, value: 6, globalDefault: true }),
    /PriorityClass base is already marked as default. Only one default can exist/,
  );
});

test('pods tolerate a silent node for five minutes, unless they said otherwise', async () => {
  const { client } = await startTestServer();
  const defaults = (await client.create(pods, pod('a'))).spec!.tolerations!;
  assert.deepEqual(
    defaults.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]),
    [
      ['node.kubernetes.io/not-ready', 300],
      ['node.kubernetes.io/unreachable', 300],
    ],
  );
  const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 };
  const kept = (await client.create(pods, pod('b', { tolerations: [own] }))).spec!.tolerations!;
  assert.deepEqual([kept[0], kept[1]!.key], [own, 'node.kubernetes.io/unreachable']);
});

test('a claim without a class gets the default one, and is protected', async () => {
  const { client } = await startTestServer();
  const isDefault = { 'storageclass.kubernetes.io/is-default-class': 'true' };
  await client.create(storageclasses, { metadata: { name: 'fast', annotations: isDefault }, provisioner: 'example.com/p' });
  const claim = (name: string, spec: object = {}) => ({
    metadata: { name, namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  });
  const created = await client.create(persistentvolumeclaims, claim('a'));
  assert.deepEqual([created.spec!.storageClassName, created.metadata.finalizers], ['fast', ['kubernetes.io/pvc-protection']]);
  assert.equal((await client.create(persistentvolumeclaims, claim('b', { storageClassName: '' }))).spec!.storageClassName, '');
});

test('a new node is tainted until it is ready', async () => {
  const { client } = await startTestServer();
  const node = await client.create(nodes, { metadata: { name: 'n1' }, spec: {} });
  assert.deepEqual(node.spec!.taints, [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
});

test('a kubelet writes what is its own and nothing else', async () => {
  const { server, client } = await startTestServer();
  const own = server.loopback(kubelet('n1'));
  await own.create(nodes, { metadata: { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1' } }, spec: {} });
  await assert.rejects(own.create(nodes, { metadata: { name: 'n2' }, spec: {} }), {
    message: 'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
  });
  const node = await own.get(nodes, { name: 'n1' });
  await assert.rejects(own.update(nodes, { ...node, spec: { ...node.spec, taints: [] } }), /node "n1" is not allowed to modify taints/);
  const lease = (name: string, namespace: string) => ({ metadata: { name, namespace }, spec: { holderIdentity: name } });
  await own.create(leases, lease('n1', 'kube-node-lease'));
  await assert.rejects(
    own.create(leases, lease('n2', 'kube-node-lease')),
    /can only access node lease with the same name as the requesting node/,
  );
  await assert.rejects(own.create(leases, lease('n1', 'default')), /can only access leases in the "kube-node-lease" system namespace/);
  const other = await client.create(pods, pod('a'));
  await assert.rejects(
    own.update(pods, { ...other, status: { phase: 'Running' } }, { subresource: 'status' }),
    /node "n1" can only update pod status for pods with spec.nodeName set to itself/,
  );
  await assert.rejects(own.create(pods, pod('b')), /can only create mirror pods/);
  await own.create(configmaps, { metadata: { name: 'free', namespace: 'default' } });
});

test('approving a certificate needs the right for its signer, and nobody asks for a superuser’s', async () => {
  const mayApprove = new Set(['example.com/*']);
  const { client, server } = await startTestServer({
    security: () => ({
      authenticate: async () => admin,
      authorize: ({ resource, name }) => ({ decision: resource !== 'signers' || mayApprove.has(name) ? 'allow' : 'none', reason: '' }),
    }),
  });
  const ask = async (name: string, signerName: string, organizations: string[] = []) => {
    const { request } = await createRequest({ commonName: 'jane', organizations });
    const spec = { request: Buffer.from(request).toString('base64'), signerName, usages: ['client auth'] };
    return await client.create(certificatesigningrequests, { metadata: { name }, spec } as CertificateSigningRequest);
  };
  const approve = (request: CertificateSigningRequest) =>
    server
      .loopback(admin)
      .update(
        certificatesigningrequests,
        { ...request, status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Test' }] } },
        { subresource: 'approval' },
      );
  assert.equal((await approve(await ask('a', 'example.com/mine'))).status!.conditions![0]!.lastUpdateTime, '2026-01-01T00:00:00Z');
  await assert.rejects(approve(await ask('b', 'other.com/theirs')), {
    message:
      'certificatesigningrequests.certificates.k8s.io "b" is forbidden: user not permitted to approve requests with signerName "other.com/theirs"',
  });
  const undecided = await ask('d', 'example.com/mine');
  const both = [{ type: 'Approved' }, { type: 'Denied' }].map((condition) => ({ ...condition, status: 'True', reason: 'Test' }));
  await assert.rejects(
    server.loopback(admin).update(certificatesigningrequests, { ...undecided, status: { conditions: both } }, { subresource: 'approval' }),
    /status.conditions\[1\].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive/,
  );
  await assert.rejects(
    ask('c', 'kubernetes.io/kube-apiserver-client', ['system:masters']),
    /use of kubernetes.io\/kube-apiserver-client signer with system:masters group is not allowed/,
  );
});
