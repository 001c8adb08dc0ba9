// Kinds with several versions: one object, read, watched, patched and written in any of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '#api/generated/core-v1.ts';
import type { HorizontalPodAutoscaler } from '#api/generated/autoscaling-v2.ts';
import type { HorizontalPodAutoscaler as V1 } from '#api/generated/autoscaling-v1.ts';
import { events, eventsEvents, horizontalpodautoscalers, horizontalpodautoscalersV1 } from '#api/generated/resources.ts';
import { call, startTestServer } from '../server.fixture.ts';

const ref = { namespace: 'default', name: 'web' };
const scaleTargetRef = { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' };
const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '100Mi' } } };
const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } };
const behavior = { scaleUp: { tolerance: '0.2', policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } };

test('an autoscaler of v2 survives being written back by a client of v1', async () => {
  const { server, client } = await startTestServer();
  const spec = { scaleTargetRef, maxReplicas: 5, metrics: [cpu, memory], behavior };
  const made = await client.create(horizontalpodautoscalers, { metadata: ref, spec } as HorizontalPodAutoscaler);
  const old = await client.get(horizontalpodautoscalersV1, ref);
  assert.equal(old.apiVersion, 'autoscaling/v1');
  assert.deepEqual(old.spec, { scaleTargetRef, minReplicas: 1, maxReplicas: 5, targetCPUUtilizationPercentage: 60 });
  assert.deepEqual(JSON.parse(old.metadata.annotations!['autoscaling.alpha.kubernetes.io/metrics']!), [
    { type: 'Resource', resource: { name: 'memory', targetAverageValue: '100Mi' } },
  ]);
  const raised = await client.update(horizontalpodautoscalersV1, { ...old, spec: { ...old.spec, maxReplicas: 7 } });
  assert.equal(raised.spec.maxReplicas, 7);
  const now = await client.get(horizontalpodautoscalers, ref);
  assert.deepEqual(now.spec, { ...made.spec, maxReplicas: 7 });
  assert.equal(now.metadata.annotations, undefined);
  await client.patch(horizontalpodautoscalersV1, ref, { type: 'merge', body: { spec: { targetCPUUtilizationPercentage: 70 } } });
  const patched = await client.get(horizontalpodautoscalers, ref);
  assert.equal(patched.spec.metrics![0]!.resource!.target.averageUtilization, 70);
  await server.stop();
});

test('lists, tables and watches are in the version that was asked for', async () => {
  const { server, client } = await startTestServer();
  const seen: string[] = [];
  const watch = client.watch(horizontalpodautoscalersV1, { namespace: 'default' }, (all) => {
    for (const event of all) if (event.type !== 'BOOKMARK') seen.push(`${event.type} ${event.object.apiVersion}`);
  });
  await client.create(horizontalpodautoscalersV1, { metadata: ref, spec: { scaleTargetRef, maxReplicas: 3 } } as V1);
  const path = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers';
  const list = await call(server, path);
  assert.match(list.text, /^\{"kind":"HorizontalPodAutoscalerList","apiVersion":"autoscaling\/v1"/);
  assert.match(list.text, /"items":\[\{"metadata":\{/);
  assert.match(list.text, /"targetCPUUtilizationPercentage":80/);
  const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const table = JSON.parse((await call(server, path, { headers: accept })).bytes.toString()) as { rows: { cells: unknown[] }[] };
  assert.deepEqual(table.rows[0]!.cells.slice(0, 6), ['web', 'Deployment/web', 'cpu: <unknown>/80%', '1', 3, 0]);
  const bytes = (await call(server, path, { headers: { accept: 'application/vnd.kubernetes.protobuf' } })).bytes.toString('latin1');
  assert.match(bytes, /autoscaling\/v1/);
  await client.delete(horizontalpodautoscalersV1, ref);
  assert.deepEqual(seen, ['ADDED autoscaling/v1', 'DELETED autoscaling/v1']);
  watch.close();
  await server.stop();
});

test('both versions stand in discovery with the hash of the one that is kept', async () => {
  const { server } = await startTestServer();
  assert.deepEqual(
    server.discovered
      .filter(({ type }) => type.plural === 'horizontalpodautoscalers')
      .map(({ type, storageVersionHash }) => [type.version, storageVersionHash]),
    [
      ['v2', 'qwQve8ut294='],
      ['v1', 'qwQve8ut294='],
    ],
  );
  await server.stop();
});

test('events of the core group and of events.k8s.io are the same objects', async () => {
  const { server, client } = await startTestServer();
  const regarding = { kind: 'Pod', namespace: 'default', name: 'web' };
  const involvedObject = regarding;
  const metadata = { name: 'web.1', namespace: 'default' };
  const old = {
    metadata,
    involvedObject,
    reason: 'Started',
    message: 'Started container',
    type: 'Normal',
    count: 2,
    source: { component: 'kubelet' },
  };
  await client.create(events, old as Event);
  const now = await client.get(eventsEvents, metadata);
  assert.deepEqual(now.regarding, regarding);
  assert.equal(now.note, 'Started container');
  assert.equal(now.deprecatedCount, 2);
  assert.deepEqual(now.deprecatedSource, { component: 'kubelet' });
  await assert.rejects(
    client.create(eventsEvents, { metadata: { ...metadata, name: 'b' }, regarding } as never),
    /eventTime: Required value/,
  );
  const fresh = {
    metadata: { name: 'web.2', namespace: 'default' },
    eventTime: '2026-01-02T12:00:00.000000Z',
    regarding,
    reportingController: 'example.com/web',
    reportingInstance: 'web-1',
    action: 'Start',
    reason: 'Started',
    type: 'Normal',
    note: 'again',
  };
  await client.create(eventsEvents, fresh);
  assert.equal((await client.get(events, fresh.metadata)).message, 'again');
  const found = await client.list(eventsEvents, {
    namespace: 'default',
    fieldSelector: 'regarding.name=web,reportingController=example.com/web',
  });
  assert.deepEqual(
    found.items.map((event) => event.metadata.name),
    ['web.2'],
  );
  await server.stop();
});
