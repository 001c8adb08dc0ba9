// The real kubectl and who may do what: can-i, whoami, impersonation, tokens, RBAC, certificate requests; and the create commands.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRequest } from '#lib/certificates.ts';
import type { KubectlCluster } from '#root/test/support/kubectl-cluster.ts';
import { startKubectlCluster } from '#root/test/support/kubectl-cluster.ts';

let kube: KubectlCluster;
before(async () => {
  kube = await startKubectlCluster({ nodes: 0 });
});
after(() => kube?.stop());

const as = (config: string) => ({ env: { KUBECONFIG: config } });

test('whoami, can-i and impersonation', async () => {
  assert.match(await kube.ok('auth', 'whoami'), /Username +kubernetes-admin\nGroups +\[system:masters system:authenticated\]/);
  assert.equal(await kube.ok('auth', 'can-i', 'create', 'pods'), 'yes\n');
  assert.match(await kube.ok('auth', 'can-i', '--list'), /\*\.\* +\[\] +\[\] +\[\*\]/);
  const bob = await kube.run('auth', 'can-i', 'get', 'pods', '--as=bob');
  assert.deepEqual([bob.code, bob.stdout], [1, 'no\n']);
  assert.equal(
    await kube.fails('get', 'pods', '--as=bob'),
    'Error from server (Forbidden): pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"\n',
  );
  assert.equal(
    await kube.fails('delete', 'node', 'x', '--as=bob', '--as-group=dev'),
    'Error from server (Forbidden): nodes "x" is forbidden: User "bob" cannot delete resource "nodes" in API group "" at the cluster scope\n',
  );
  const jane = as(await kube.kubeconfigOf('jane', ['dev']));
  assert.match(
    await kube.fails('get', 'pods', '--as=root', jane),
    /users "root" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope/,
  );
});

test('roles open what they name; reconcile completes them', async () => {
  const { ok, fails } = await kube.namespace('roles');
  const jane = as(await kube.kubeconfigOf('jane', ['dev']));
  assert.match(
    await fails('get', 'configmaps', jane),
    /User "jane" cannot list resource "configmaps" in API group "" in the namespace "roles"/,
  );
  assert.equal(
    await ok('create', 'role', 'reader', '--verb=get,list', '--resource=configmaps'),
    'role.rbac.authorization.k8s.io/reader created\n',
  );
  assert.equal(
    await ok('create', 'rolebinding', 'readers', '--role=reader', '--group=dev'),
    'rolebinding.rbac.authorization.k8s.io/readers created\n',
  );
  assert.equal(await ok('get', 'configmaps', '-o', 'name', jane), 'configmap/kube-root-ca.crt\n');
  assert.match(
    await fails('delete', 'configmap', 'kube-root-ca.crt', jane),
    /configmaps "kube-root-ca.crt" is forbidden: User "jane" cannot delete/,
  );
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['delete'] }];
  const more = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'reader', namespace: 'roles' }, rules };
  assert.equal(
    await ok('auth', 'reconcile', '-f', '-', { input: JSON.stringify(more) }),
    'role.rbac.authorization.k8s.io/reader reconciled\n',
  );
  assert.match(await ok('describe', 'role', 'reader'), /configmaps +\[\] +\[\] +\[(get list delete|delete get list)\]/);
  assert.match(await ok('delete', 'configmap', 'kube-root-ca.crt', jane), /deleted/);
  await ok('create', 'clusterrole', 'meddler', '--verb=create', '--resource=rolebindings');
  await ok('create', 'clusterrolebinding', 'meddlers', '--clusterrole=meddler', '--user=jane');
  assert.match(
    await fails('create', 'rolebinding', 'admins', '--clusterrole=cluster-admin', '--user=jane', jane),
    /is forbidden: user "jane" \(groups=\["dev" "system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:/,
  );
});

test('a service account works with its token until it is deleted', async () => {
  const { ok, fails } = await kube.namespace('tokens');
  assert.equal(await ok('create', 'serviceaccount', 'robot'), 'serviceaccount/robot created\n');
  const token = (await ok('create', 'token', 'robot', '--duration=1h')).trim();
  assert.match(
    await fails('create', 'token', 'robot', '--duration=1s'),
    /TokenRequest.authentication.k8s.io "robot" is invalid: spec.expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes/,
  );
  assert.equal(await fails('create', 'token', 'none'), 'error: failed to create token: serviceaccounts "none" not found\n');
  const robot = as(await kube.writeKubeconfig('robot', { token }));
  assert.match(await kube.ok('auth', 'whoami', robot), /Username +system:serviceaccount:tokens:robot\n/);
  assert.match(
    await ok('get', 'pods', robot).catch((error: Error) => error.message),
    /User "system:serviceaccount:tokens:robot" cannot list resource "pods"/,
  );
  await ok('create', 'rolebinding', 'robots', '--clusterrole=view', '--serviceaccount=tokens:robot');
  assert.equal(await ok('auth', 'can-i', 'list', 'pods', robot), 'yes\n');
  await ok('delete', 'serviceaccount', 'robot');
  assert.match(await fails('get', 'pods', robot), /error: You must be logged in to the server \(Unauthorized\)/);
  const stranger = as(await kube.writeKubeconfig('stranger', { token: 'made-up' }));
  assert.match(await fails('get', 'pods', stranger), /error: You must be logged in to the server \(Unauthorized\)/);
});

test('certificate requests are approved and denied', async () => {
  const { request } = await createRequest({ commonName: 'ann', organizations: ['dev'] });
  const ask = async (name: string) => {
    const spec = {
      request: Buffer.from(request).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    };
    const object = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name }, spec };
    await kube.ok('create', '-f', '-', { input: JSON.stringify(object) });
  };
  await ask('ann');
  await ask('ann-again');
  assert.match(await kube.ok('get', 'csr', 'ann'), /ann +\d+s +kubernetes.io\/kube-apiserver-client +kubernetes-admin +<none> +Pending/);
  assert.match(await kube.ok('certificate', 'approve', 'ann'), /certificatesigningrequest.certificates.k8s.io\/ann approved/);
  assert.match(await kube.ok('certificate', 'deny', 'ann-again'), /certificatesigningrequest.certificates.k8s.io\/ann-again denied/);
  assert.match(await kube.ok('get', 'csr'), /ann +.* Approved\S*\nann-again +.* Denied\n/);
  assert.match(await kube.fails('certificate', 'approve', 'none'), /certificatesigningrequests.certificates.k8s.io "none" not found/);
  assert.match(await kube.ok('describe', 'csr', 'ann'), /Common Name: +ann\n[^]*Organization: +dev\n/);
});

test('the create commands', async () => {
  const { ok, fails } = await kube.namespace('creating');
  const created: [string, ...string[]][] = [
    ['secret/plain', 'secret', 'generic', 'plain', '--from-literal=k=v'],
    ['secret/registry', 'secret', 'docker-registry', 'registry', '--docker-username=u', '--docker-password=p', '--docker-server=r.example'],
    ['configmap/settings', 'configmap', 'settings', '--from-literal=a=b'],
    ['service/inner', 'service', 'clusterip', 'inner', '--tcp=80:8080'],
    ['service/headless', 'service', 'clusterip', 'headless', '--clusterip=None'],
    ['service/outer', 'service', 'nodeport', 'outer', '--tcp=80', '--node-port=30123'],
    ['service/balanced', 'service', 'loadbalancer', 'balanced', '--tcp=80'],
    ['service/alias', 'service', 'externalname', 'alias', '--external-name=example.com'],
    ['priorityclass.scheduling.k8s.io/urgent', 'priorityclass', 'urgent', '--value=5', '--description=now'],
    ['clusterrole.rbac.authorization.k8s.io/pinger', 'clusterrole', 'pinger', '--verb=get', '--non-resource-url=/ping'],
  ];
  for (const [what, ...args] of created) assert.equal(await ok('create', ...args), `${what} created\n`);
  assert.equal(await ok('get', 'secret', 'plain', '-o', 'jsonpath={.type} {.data.k}'), 'Opaque dg==');
  assert.match(
    await ok('get', 'services'),
    /alias +ExternalName +<none> +example.com +<none> .*\nbalanced +LoadBalancer +10\.100\.\d+\.\d+ +<pending> +80:3\d{4}\/TCP .*\nheadless +ClusterIP +None +<none> +<none> .*\ninner +ClusterIP +10\.100\.\d+\.\d+ +<none> +80\/TCP .*\nouter +NodePort +10\.100\.\d+\.\d+ +<none> +80:30123\/TCP/,
  );
  assert.match(
    await fails('create', 'service', 'nodeport', 'twice', '--tcp=80', '--node-port=30123'),
    /spec.ports\[0\].nodePort: Invalid value: 30123: provided port is already allocated/,
  );
  assert.match(
    await fails('create', 'service', 'nodeport', 'far', '--tcp=80', '--node-port=99'),
    /spec.ports\[0\].nodePort: Invalid value: 99: provided port is not in the valid range. The range of valid ports is 30000-32767/,
  );
  assert.equal(await fails('create', 'configmap', 'settings'), 'error: failed to create configmap: configmaps "settings" already exists\n');
});
