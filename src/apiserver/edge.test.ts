// The whole edge with a real kubectl: TLS, certificates, tokens, RBAC, discovery, OpenAPI, reviews, in front of the real API server.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { clusterroles, clusterrolebindings, rolebindings, roles } from '#api/generated/resources.ts';
import type { ResourceType } from '#api/meta/object.ts';
import { createAuthority, createKeyPair, issueClient, issueServing } from '#lib/certificates.ts';
import { systemClock as clock } from '#lib/clock.ts';
import { serveTls } from '#lib/http/server.ts';
import { silentLog as log } from '#lib/log.ts';
import { systemRandom as random } from '#lib/random.ts';
import { createMemoryStore } from '#store/memory.ts';
import { createAuditTrail } from './audit/audit.ts';
import { openRotatedFile } from './audit/rotated-file.ts';
import { bootstrapObjects, reconcile } from './authz/bootstrap.ts';
import { clusterNamespaces } from './cluster-objects.ts';
import { createDiscovery } from './discovery/discovery.ts';
import { createHealth } from './health/health.ts';
import { combineTrails, createMetrics } from './health/metrics.ts';
import { createOpenApi } from './openapi/openapi.ts';
import { resourceRules } from './resources/all.ts';
import { createSecurity } from './security.ts';
import { type ApiServer, createApiServer } from './server.ts';

const gitVersion = 'v1.36.0+keks';
const issuing = { clock, random };
const rbacTypes = { clusterroles, clusterrolebindings, roles, rolebindings } as unknown as Record<string, ResourceType>;

async function startCluster(t: TestContext) {
  const home = await mkdtemp(join(tmpdir(), 'keks-edge-'));
  const authority = await createAuthority({ ...issuing, commonName: 'kubernetes' });
  const serving = await issueServing(authority, {
    ...issuing,
    commonName: 'kube-apiserver',
    dnsNames: ['kubernetes'],
    ipAddresses: ['127.0.0.1'],
  });
  const { privateKey } = await createKeyPair();
  const auditLog = await openRotatedFile({ file: join(home, 'audit.log'), log });
  let address = '';
  const served = () => api.discovered;
  const metrics = createMetrics({ clock, gitVersion, watchers: () => api.watcherCount, isServed: () => true });
  const discovery = createDiscovery({ resources: served, serverAddress: () => address, gitVersion });
  const openApi = createOpenApi({ resources: served, gitVersion });
  const api: ApiServer = createApiServer({
    store: createMemoryStore(),
    clock,
    random,
    log,
    rules: resourceRules,
    security: (view) =>
      createSecurity(view, {
        issuer: 'https://oidc.test',
        serviceAccountKey: privateKey,
        publicUrl: () => `https://${address}`,
        clock,
        random,
        log,
      }),
    bootstrap: [
      ...clusterNamespaces(),
      ...bootstrapObjects().map(({ plural, object }) => ({
        type: rbacTypes[plural]!,
        object,
        mend: (existing: typeof object) => reconcile(existing, object),
      })),
    ],
    paths: [discovery.handle, openApi.handle, createHealth([]), metrics.handle],
    audit: combineTrails([metrics.trail, createAuditTrail({ sink: auditLog, clock, random })]),
  });
  await api.start();
  const handler = api.handle;
  const server = await serveTls({
    handler,
    host: '127.0.0.1',
    port: 0,
    key: serving.key,
    cert: serving.certificate,
    clientCa: authority.certificate,
    log,
  });
  address = `127.0.0.1:${server.port}`;
  t.after(async () => {
    await server.close(0);
    await api.stop();
    await auditLog.close();
    await rm(home, { recursive: true });
  });
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const kubeconfig = async (user: string, groups: string[]) => {
    const pair = await issueClient(authority, { ...issuing, commonName: user, organizations: groups });
    const file = join(home, `${user}.yaml`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: `https://${address}`, 'certificate-authority-data': base64(authority.certificate) } }],
      users: [{ name: 'u', user: { 'client-certificate-data': base64(pair.certificate), 'client-key-data': base64(pair.key) } }],
    };
    await writeFile(file, JSON.stringify(config));
    return file;
  };
  return { home, kubeconfig, auditLog };
}

const kubectl = [process.env.KEKS_TEST_KUBECTL ?? '', '/usr/bin/kubectl'].find((path) => path !== '' && existsSync(path));

test('kubectl works with a certificate, and is refused what RBAC does not give', {
  skip: !kubectl && 'no kubectl here',
  timeout: 60_000,
}, async (t) => {
  const { home, kubeconfig, auditLog } = await startCluster(t);
  const admin = await kubeconfig('root', ['system:masters']);
  const jane = await kubeconfig('jane', ['dev']);
  const run = (config: string, ...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = { ...process.env, HOME: home, KUBECONFIG: config };
      const child = execFile(kubectl!, args, { env, timeout: 20_000 }, (error, stdout, stderr) =>
        resolve({ code: error ? 1 : 0, stdout, stderr }),
      );
      child.stdin!.end(args.includes('-') ? 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo}\ndatta: {a: b}\n' : '');
    });
  const ok = async (config: string, ...args: string[]) => {
    const { code, stdout, stderr } = await run(config, ...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };

  assert.match(await ok(admin, 'auth', 'whoami'), /Username +root\nGroups +\[system:masters system:authenticated\]/);
  assert.match(await ok(admin, 'create', 'configmap', 'settings', '--from-literal=a=b'), /configmap\/settings created/);
  // kubectl sends these as protobuf.
  await ok(admin, 'create', 'deployment', 'web', '--image=nginx', '--replicas=2', '--port=80');
  const deployment = JSON.parse(await ok(admin, 'get', 'deployment', 'web', '-o', 'json'));
  const [container] = deployment.spec.template.spec.containers;
  assert.deepEqual([deployment.spec.replicas, container.name, container.ports[0].containerPort], [2, 'nginx', 80]);
  await ok(admin, 'create', 'service', 'clusterip', 'web', '--tcp=80:http');
  await ok(admin, 'create', 'service', 'nodeport', 'web2', '--tcp=80:8080');
  assert.equal(await ok(admin, 'get', 'service', 'web', 'web2', '-o', 'jsonpath={.items[*].spec.ports[0].targetPort}'), 'http 8080');
  await ok(admin, 'create', 'secret', 'generic', 's', '--from-literal=k=v');
  assert.equal(await ok(admin, 'get', 'secret', 's', '-o', 'jsonpath={.data.k}'), Buffer.from('v').toString('base64'));
  assert.match(await ok(admin, 'explain', 'deployment.spec.replicas'), /FIELD: replicas <integer>/);
  assert.match((await run(admin, 'create', '-f', '-')).stderr, /unknown field "datta"/);
  assert.match(await ok(admin, 'get', 'configmaps', '-o', 'name'), /configmap\/settings/);
  assert.match(await ok(admin, 'api-resources', '--api-group=authorization.k8s.io'), /selfsubjectaccessreviews/);

  const refused = await run(jane, 'get', 'configmaps');
  assert.match(
    refused.stderr,
    /configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"/,
  );
  assert.equal((await run(jane, 'auth', 'can-i', 'list', 'configmaps')).stdout, 'no\n');
  await ok(admin, 'create', 'rolebinding', 'janes', '--clusterrole=view', '--group=dev');
  assert.equal(await ok(jane, 'auth', 'can-i', 'list', 'configmaps'), 'yes\n');
  assert.match(await ok(jane, 'get', 'configmaps'), /settings/);
  assert.match(await ok(jane, 'auth', 'can-i', '--list'), /configmaps +\[\] +\[\] +\[get list watch\]/);
  assert.match(await ok(admin, 'get', 'configmaps', '--as=jane', '--as-group=dev'), /settings/);
  assert.match(
    (await run(jane, 'get', 'configmaps', '--as=root')).stderr,
    /users "root" is forbidden: User "jane" cannot impersonate resource "users"/,
  );
  assert.match((await run(jane, 'create', 'rolebinding', 'more', '--clusterrole=cluster-admin', '--user=jane')).stderr, /is forbidden/);

  await ok(admin, 'create', 'serviceaccount', 'robot');
  const token = (await ok(admin, 'create', 'token', 'robot')).trim();
  assert.match(
    await ok(admin, 'get', '--raw', '/metrics'),
    /apiserver_request_total\{verb="POST",[^}]*resource="serviceaccounts",subresource="token"/,
  );
  const noUser = join(home, 'token.yaml');
  await writeFile(noUser, (await readFile(admin, 'utf8')).replace(/"users":.*$/, `"users":[{"name":"u","user":{"token":"${token}"}}]}`));
  assert.match(await ok(noUser, 'auth', 'whoami'), /system:serviceaccount:default:robot/);
  assert.match((await run(noUser, 'get', 'secrets')).stderr, /User "system:serviceaccount:default:robot" cannot list resource "secrets"/);
  await ok(admin, 'delete', 'serviceaccount', 'robot');
  assert.match((await run(noUser, 'get', 'secrets')).stderr, /You must be logged in to the server \(Unauthorized\)/);

  await auditLog.flush();
  const events = (await readFile(join(home, 'audit.log'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.ok(
    events.some(
      (event) => event.user.username === 'jane' && event.responseStatus.code === 403 && event.objectRef.resource === 'configmaps',
    ),
  );
});
