// Server-side apply and the managers of all other writes, as clients of the API see them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployments, pods } from '#api/generated/resources.ts';
import type { ManagedFieldsEntry } from '#api/generated/meta-v1.ts';
import type { Deployment } from '#api/generated/apps-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { copyOf } from '#api/meta/object.ts';
import { call, startTestServer } from '../server.fixture.ts';

const path = '/apis/apps/v1/namespaces/default/deployments/web';
const ref = { namespace: 'default', name: 'web' };
const web = (spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', ...metadata },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'nginx' }] } },
    ...spec,
  },
});

async function start() {
  const started = await startTestServer();
  const send = async (query: string, body: unknown, target = path) => {
    const headers = { 'content-type': 'application/apply-patch+yaml', 'user-agent': 'tester/1.0' };
    const reply = await call(started.server, `${target}?${query}`, { method: 'PATCH', headers, body });
    return { ...reply, object: reply.json as unknown as Deployment & { message: string; details: { causes: object[] } } };
  };
  return { ...started, send };
}

const managers = (entries: ManagedFieldsEntry[] | undefined) =>
  (entries ?? []).map(({ manager, operation, subresource }) => [manager, operation, subresource].filter(Boolean).join(' '));

test('an apply creates what is missing, and again it writes nothing', async () => {
  const { send, clock } = await start();
  const first = await send('fieldManager=one', web({ replicas: 2 }));
  assert.equal(first.status, 201);
  assert.deepEqual(managers(first.object.metadata.managedFields), ['one Apply']);
  await clock.advance(5000);
  const again = await send('fieldManager=one', web({ replicas: 2 }));
  assert.equal(again.status, 200);
  assert.equal(again.text, first.text);
});

test('a conflict names the manager and the field, force takes the field over', async () => {
  const { client, send } = await start();
  await client.create(deployments, { ...web({ replicas: 1 }), metadata: ref } as Deployment, { fieldManager: 'kubectl-client-side-apply' });
  const refused = await send('fieldManager=one', web({ replicas: 2 }));
  assert.equal(refused.status, 409);
  assert.equal(
    refused.object.message,
    'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
  );
  assert.deepEqual(refused.object.details.causes, [
    { reason: 'FieldManagerConflict', message: 'conflict with "kubectl-client-side-apply" using apps/v1', field: '.spec.replicas' },
  ]);
  const forced = await send('fieldManager=one&force=true', web({ replicas: 2 }));
  assert.equal(forced.object.spec?.replicas, 2);
  assert.deepEqual(managers(forced.object.metadata.managedFields), ['one Apply', 'kubectl-client-side-apply Update']);
  const shared = await send('fieldManager=two', web({ replicas: 2 }));
  assert.equal(shared.status, 200);
  const two = await send('fieldManager=one', web({ replicas: 3 }));
  assert.equal(two.object.message, 'Apply failed with 1 conflict: conflict with "two": .spec.replicas');
});

test('several conflicts are listed by manager', async () => {
  const { send } = await start();
  await send('fieldManager=one', web({ replicas: 1, paused: true }, { labels: { a: '1' } }));
  const refused = await send('fieldManager=two', web({ replicas: 2, paused: false }, { labels: { a: '2' } }));
  assert.equal(
    refused.object.message,
    'Apply failed with 3 conflicts: conflicts with "one":\n- .metadata.labels.a\n- .spec.paused\n- .spec.replicas',
  );
});

test('what is applied no longer goes; what the server filled in stays', async () => {
  const { send, client } = await start();
  await send('fieldManager=one', web({ replicas: 3, minReadySeconds: 5 }, { labels: { a: '1', b: '2' } }));
  const less = await send('fieldManager=one', web({}, { labels: { a: '1' } }));
  assert.deepEqual(less.object.metadata.labels, { a: '1' });
  assert.equal(less.object.spec?.minReadySeconds, undefined);
  assert.equal(less.object.spec?.replicas, 1);
  assert.equal((await client.get(deployments, ref)).spec?.revisionHistoryLimit, 10);
});

test('a dry run and a refused apply change nothing', async () => {
  const { send, client } = await start();
  assert.equal((await send('fieldManager=one&dryRun=All', web())).status, 201);
  await assert.rejects(client.get(deployments, ref), { reason: 'NotFound' });
  const created = await send('fieldManager=one', web());
  const stale = await send('fieldManager=one', web({ replicas: 9 }, { resourceVersion: '1' }));
  assert.equal(stale.status, 409);
  assert.equal((await client.get(deployments, ref)).metadata.resourceVersion, created.object.metadata.resourceVersion);
});

const refusals: [string, string, unknown, number, string][] = [
  ['no manager', '', web(), 422, 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'],
  ['another kind', 'fieldManager=a', { ...web(), kind: 'Pod' }, 400, 'invalid object type: apps/v1, Kind=Pod'],
  ['no kind', 'fieldManager=a', {}, 400, 'invalid object type: /, Kind='],
  ['managed fields', 'fieldManager=a', web({}, { managedFields: [] }), 400, 'metadata.managedFields must be nil'],
  [
    'an unknown field',
    'fieldManager=a',
    web({ foo: 1 }),
    500,
    'failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema',
  ],
  [
    'a uid of nothing',
    'fieldManager=a',
    web({}, { uid: 'u' }),
    409,
    'Operation cannot be fulfilled on deployments.apps "web": uid mismatch: the provided object specified uid u, and no existing object was found',
  ],
  [
    'a key twice, strictly',
    'fieldManager=a&fieldValidation=Strict',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nkind: Deployment\n',
    400,
    'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 4: key "kind" already set in map',
  ],
];

for (const [what, query, body, status, message] of refusals) {
  test(`an apply is refused for ${what}`, async () => {
    const { send } = await start();
    const reply = await send(query, body);
    assert.deepEqual([reply.status, reply.object.message], [status, message]);
  });
}

test('force belongs to an apply alone', async () => {
  const { server, send } = await start();
  await send('fieldManager=one', web());
  const headers = { 'content-type': 'application/merge-patch+json' };
  const { json } = await call(server, `${path}?force=true`, { method: 'PATCH', headers, body: {} });
  assert.equal(json.message, 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch');
});

test('status and scale have managers of their own, and leave the rest to its owners', async () => {
  const { send } = await start();
  await send('fieldManager=one', web({ replicas: 1 }));
  const status = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, status: { replicas: 1 } };
  const reported = await send('fieldManager=two', status, `${path}/status`);
  assert.deepEqual(managers(reported.object.metadata.managedFields), ['one Apply', 'two Apply status']);
  assert.equal(reported.object.status?.replicas, 1);
  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web' }, spec: { replicas: 4 } };
  const refused = await send('fieldManager=three', scale, `${path}/scale`);
  assert.equal(refused.object.message, 'Apply failed with 1 conflict: conflict with "one": .spec.replicas');
  assert.equal((await send('fieldManager=three&force=true', scale, `${path}/scale`)).object.spec?.replicas, 4);
  const after = await send('fieldManager=one', web());
  assert.equal(after.object.spec?.replicas, 4);
  assert.ok(managers(after.object.metadata.managedFields).includes('three Apply scale'));
});

test('updates note their client and take over what they change; writes that change nothing leave it all', async () => {
  const { client, send, server, clock } = await start();
  const created = await send('fieldManager=one', web({ replicas: 1 }));
  await clock.advance(3000);
  const body = copyOf(created.object);
  const headers = { 'user-agent': 'curl/8.1 (linux)' };
  const same = await call(server, path, { method: 'PUT', body, headers });
  assert.deepEqual(same.json, created.json);
  await call(server, path, { method: 'PUT', body: { ...body, spec: { ...body.spec, replicas: 2 } }, headers });
  const { metadata } = await client.get(deployments, ref);
  assert.deepEqual(managers(metadata.managedFields), ['one Apply', 'curl Update']);
  assert.deepEqual(metadata.managedFields?.[1], {
    manager: 'curl',
    operation: 'Update',
    apiVersion: 'apps/v1',
    time: '2026-01-01T00:00:03Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
  });
});

test('managed fields are forgotten by an empty list, kept when left out or unreadable, and taken when given', async () => {
  const { send, server } = await start();
  const merge = async (managedFields: unknown) => {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const { json } = await call(server, path, { method: 'PATCH', headers, body: { metadata: { managedFields } } });
    return managers((json as unknown as Deployment).metadata.managedFields);
  };
  await send('fieldManager=one', web());
  assert.deepEqual(await merge(null), ['one Apply']);
  assert.deepEqual(await merge([{ manager: 'x', operation: 'Random', apiVersion: 'v1', fieldsType: 'FieldsV1' }]), ['one Apply']);
  const given = {
    manager: 'x',
    operation: 'Apply',
    apiVersion: 'apps/v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'f:paused': {} } },
  };
  assert.deepEqual(await merge([given]), ['x Apply']);
  assert.deepEqual(await merge([{}]), []);
  const applied = await send('fieldManager=one', web());
  assert.deepEqual(managers(applied.object.metadata.managedFields), ['one Apply', 'before-first-apply Update']);
});

test('what admission adds belongs to nobody, and components go by their names', async () => {
  const { server, client } = await startTestServer();
  const pod: Pod = { metadata: { name: 'a', namespace: 'default' }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } };
  const created = await client.create(pods, pod);
  assert.ok(created.spec?.tolerations);
  assert.ok(!JSON.stringify(created.metadata.managedFields).includes('f:tolerations'));
  const kubelet = server.loopback({ name: 'system:node:n', groups: ['system:nodes'] });
  const running = { ...copyOf(created), status: { phase: 'Running' } };
  const { metadata } = await kubelet.update(pods, running, { subresource: 'status' });
  assert.deepEqual(managers(metadata.managedFields), ['keks Update', 'kubelet Update status']);
});
