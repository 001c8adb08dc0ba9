// Discovery and OpenAPI, read by a real kubectl where there is one, and by plain requests.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { allResources } from '#api/resources.ts';
import { createAuthority, issueServing } from '#lib/certificates.ts';
import { systemClock } from '#lib/clock.ts';
import { answerFailure } from '#lib/http/failure.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
import { serveTls } from '#lib/http/server.ts';
import { silentLog } from '#lib/log.ts';
import { systemRandom } from '#lib/random.ts';
import { pathNotFound } from '#api/meta/errors.ts';
import { discoveredFrom } from '../discovery/discovered-resource.ts';
import { createDiscovery } from '../discovery/discovery.ts';
import { firstOf } from '../paths.ts';
import { createOpenApi } from './openapi.ts';

const resources = allResources.filter((info) => info.served === 'builtin').map(discoveredFrom);
const discovery = createDiscovery({ resources: () => resources, serverAddress: () => '127.0.0.1:6443', gitVersion: 'v1.36.0+keks' });
const openApi = createOpenApi({ resources: () => resources, gitVersion: 'v1.36.0+keks' });
const handle = firstOf([discovery.handle, openApi.handle]);

const request = (target: string, headers: Record<string, string> = {}): HttpRequest => ({
  method: 'GET',
  path: target.split('?')[0]!,
  query: target.split('?')[1] ?? '',
  headers,
  remoteAddress: '',
  body: () => Promise.resolve(Buffer.alloc(0)),
  signal: new AbortController().signal,
});

async function get(target: string, headers?: Record<string, string>) {
  const response = (await handle(request(target, headers))) as { status: number; headers: Record<string, string>; body: Buffer };
  return { ...response, json: () => JSON.parse(String(response.body)) };
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

test('the older discovery lists groups in upstream order and resources with their subresources', async () => {
  const groups = (await get('/apis')).json().groups as { name: string; preferredVersion: object }[];
  assert.deepEqual(
    groups.slice(0, 4).map((group) => group.name),
    ['apiregistration.k8s.io', 'apps', 'events.k8s.io', 'authentication.k8s.io'],
  );
  assert.deepEqual((await get('/apis/apps')).json().preferredVersion, { groupVersion: 'apps/v1', version: 'v1' });
  const list = (await get('/apis/apps/v1')).json();
  assert.deepEqual([list.kind, list.apiVersion, list.groupVersion], ['APIResourceList', 'v1', 'apps/v1']);
  const names = list.resources.map((each: { name: string }) => each.name);
  assert.ok(names.indexOf('deployments') < names.indexOf('deployments/scale'));
  const scale = list.resources.find((each: { name: string }) => each.name === 'deployments/scale');
  assert.deepEqual([scale.group, scale.version, scale.kind], ['autoscaling', 'v1', 'Scale']);
  assert.deepEqual((await get('/api')).json().versions, ['v1']);
  assert.equal(await handle(request('/apis/nope/v1')), undefined);
});

test('aggregated discovery is answered to those who ask for it, and 304 to those who have it', async () => {
  const first = await get('/apis', { accept: `${aggregated},application/json` });
  assert.equal(first.headers['content-type'], aggregated);
  const apps = first.json().items.find((item: { metadata: { name: string } }) => item.metadata.name === 'apps');
  const deployments = apps.versions[0].resources.find((each: { resource: string }) => each.resource === 'deployments');
  assert.deepEqual([deployments.scope, deployments.responseKind.kind, deployments.shortNames], ['Namespaced', 'Deployment', ['deploy']]);
  const again = await get('/apis', { accept: aggregated, 'if-none-match': first.headers.etag! });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  assert.equal((await get('/apis', { accept: 'application/json' })).json().kind, 'APIGroupList');
});

test('the v3 index leads to documents that never change, and old hashes to the new document', async () => {
  const index = (await get('/openapi/v3')).json();
  const url = index.paths['apis/apps/v1'].serverRelativeURL as string;
  const document = await get(url);
  assert.match(document.headers['cache-control']!, /immutable/);
  const old = await get(`${url.split('?')[0]}?hash=OLD`);
  assert.deepEqual([old.status, old.headers.location], [301, url]);
  const { components, paths } = document.json();
  const spec = components.schemas['io.k8s.api.core.v1.PodSpec'];
  assert.deepEqual(
    [spec.properties.containers['x-kubernetes-patch-merge-key'], spec.properties.containers['x-kubernetes-list-map-keys'], spec.required],
    ['name', ['name'], ['containers']],
  );
  assert.deepEqual(components.schemas['io.k8s.api.apps.v1.Deployment']['x-kubernetes-group-version-kind'], [
    { group: 'apps', version: 'v1', kind: 'Deployment' },
  ]);
  const patch = paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'].patch;
  assert.ok(patch.parameters.some((each: { name: string }) => each.name === 'fieldValidation'));
});

test('every reference in every document leads somewhere', async () => {
  const documents = [(await get('/openapi/v2', { accept: 'application/json' })).json()];
  for (const path of Object.keys((await get('/openapi/v3')).json().paths)) documents.push((await get(`/openapi/v3/${path}`)).json());
  for (const document of documents) {
    const known = document.definitions ?? document.components.schemas;
    for (const [, name] of JSON.stringify(document).matchAll(/"\$ref":"#\/(?:definitions|components\/schemas)\/([^"]+)"/g))
      assert.ok(known[name!], name);
  }
  assert.ok(gzipSync(Buffer.from(JSON.stringify(documents[0]))).length < 400_000);
});

const kubectls = ['/usr/bin/kubectl', process.env.KEKS_TEST_KUBECTL].filter((path): path is string => !!path && existsSync(path));

async function serve(t: TestContext) {
  const issuing = { clock: systemClock, random: systemRandom };
  const authority = await createAuthority({ ...issuing, commonName: 'test' });
  const pair = await issueServing(authority, { ...issuing, commonName: 'server', dnsNames: [], ipAddresses: ['127.0.0.1'] });
  const seen: string[] = [];
  const server = await serveTls({
    host: '127.0.0.1',
    port: 0,
    key: pair.key,
    cert: pair.certificate,
    log: silentLog,
    async handler(asked) {
      seen.push(`${asked.path} ${asked.headers.accept}`);
      return (await handle(asked)) ?? answerFailure(pathNotFound());
    },
  });
  const home = await mkdtemp(join(tmpdir(), 'keks-openapi-'));
  t.after(async () => {
    await server.close(0);
    await rm(home, { recursive: true });
  });
  const run = async (kubectl: string, ...args: string[]) => {
    const flags = [`--server=https://127.0.0.1:${server.port}`, '--insecure-skip-tls-verify', '--token=x', `--cache-dir=${home}`];
    const env = { ...process.env, HOME: home, KUBECONFIG: join(home, 'none') };
    return (await promisify(execFile)(kubectl, [...flags, ...args], { env })).stdout;
  };
  return { run, seen };
}

for (const kubectl of kubectls) {
  test(`${kubectl} reads versions, resources and explanations`, async (t) => {
    const { run, seen } = await serve(t);
    assert.match(await run(kubectl, 'version'), /Server Version: v1\.36\.0\+keks/);
    assert.match(await run(kubectl, 'api-resources', '--no-headers'), /deployments +deploy +apps\/v1 +true +Deployment/);
    assert.match(
      await run(kubectl, 'explain', 'deployment.spec.template.spec.containers.imagePullPolicy'),
      /FIELD: imagePullPolicy <string>/,
    );
    assert.match(await run(kubectl, 'explain', 'pods', '--recursive'), /FIELDS:[\s\S]*containers\t<\[\]Container> -required-/);
    if ((await run(kubectl, 'explain', '--help')).includes('plaintext-openapiv2')) {
      assert.match(await run(kubectl, 'explain', 'service.spec', '--output=plaintext-openapiv2'), /clusterIPs\s+<\[\]string>/);
      assert.ok(seen.some((line) => line.startsWith('/openapi/v2') && line.includes('protobuf')));
    }
  });
}
