// The official JavaScript client against a cluster in this process: an informer, a rollout, logs, and a user who gets in by a signed request.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AppsV1Api, CertificatesV1Api, CoreV1Api, KubeConfig, RbacAuthorizationV1Api, makeInformer } from '@kubernetes/client-node';
import type { V1Pod } from '@kubernetes/client-node';
import { createRequest } from '#lib/certificates.ts';
import { certificatesigningrequests } from '#api/generated/resources.ts';
import { eventually } from '#root/src/testing/eventually.ts';
import type { KubectlCluster } from '#root/test/support/kubectl-cluster.ts';
import { startKubectlCluster } from '#root/test/support/kubectl-cluster.ts';

let kube: KubectlCluster;
let config: KubeConfig;
before(async () => {
  kube = await startKubectlCluster();
  config = await configOf(await kube.kubeconfigOf('kubernetes-admin', ['system:masters']));
});
after(() => kube?.stop());

async function configOf(file: string): Promise<KubeConfig> {
  const loaded = new KubeConfig();
  loaded.loadFromFile(file);
  return loaded;
}

test('an informer sees the pods of a deployment come, run and go', { timeout: 30_000 }, async () => {
  const namespace = 'default';
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const informer = makeInformer<V1Pod>(config, `/api/v1/namespaces/${namespace}/pods`, () => core.listNamespacedPod({ namespace }));
  const running = new Set<string>();
  const gone = new Set<string>();
  const [allRun, allGone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const note = ({ metadata, status }: V1Pod) => {
    if (status?.phase === 'Running' && running.add(metadata!.name!).size === 3) allRun.resolve();
  };
  informer.on('add', note);
  informer.on('update', note);
  informer.on('delete', ({ metadata }) => gone.add(metadata!.name!).size === 3 && allGone.resolve());
  await informer.start();
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'nginx' }] } };
  const body = { metadata: { name: 'web' }, spec: { replicas: 3, selector: { matchLabels: labels }, template } };
  await apps.createNamespacedDeployment({ namespace, body });
  await allRun.promise;
  const scale = await apps.readNamespacedDeploymentScale({ name: 'web', namespace });
  scale.spec = { replicas: 0 };
  await apps.replaceNamespacedDeploymentScale({ name: 'web', namespace, body: scale });
  await allGone.promise;
  assert.deepEqual([...gone].sort(), [...running].sort());
  await informer.stop();
});

test('a request that is approved becomes a certificate, and its holder is who it says', async () => {
  const { request, key } = await createRequest({ commonName: 'jane', organizations: ['dev'] });
  const certificates = config.makeApiClient(CertificatesV1Api);
  const spec = {
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
    request: Buffer.from(request).toString('base64'),
  };
  await certificates.createCertificateSigningRequest({ body: { metadata: { name: 'jane' }, spec } });
  await kube.ok('certificate', 'approve', 'jane');
  let certificate = '';
  await eventually(kube.client, certificatesigningrequests, {}, ([csr]) => {
    certificate = csr?.status?.certificate ?? '';
    assert.notEqual(certificate, '');
  });
  const user = { 'client-certificate-data': certificate, 'client-key-data': Buffer.from(key).toString('base64') };
  const core = (await configOf(await kube.writeKubeconfig('jane', user))).makeApiClient(CoreV1Api);
  await assert.rejects(core.listNamespacedPod({ namespace: 'default' }), /User .*jane.* cannot list resource .*pods/);
  const body = {
    metadata: { name: 'dev' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'dev' }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
  };
  await config.makeApiClient(RbacAuthorizationV1Api).createNamespacedRoleBinding({ namespace: 'default', body });
  assert.ok(Array.isArray((await core.listNamespacedPod({ namespace: 'default' })).items));
});
