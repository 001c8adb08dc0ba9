// The in-process client asks for the same rights as a request over the wire.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessAttributes } from '#api/meta/access.ts';
import { configmaps, namespaces } from '#api/generated/resources.ts';
import { admin, startTestServer } from './server.fixture.ts';

test('who lists or watches one object by its name asks for that one, as kubelets do for the config maps of their pods', async (t) => {
  const asked: string[] = [];
  const authorize = ({ verb, resource, namespace, name }: AccessAttributes) => {
    asked.push([verb, resource, namespace, name].join(' '));
    return { decision: 'allow', reason: '' } as const;
  };
  const { server, client } = await startTestServer({ security: () => ({ authenticate: async () => admin, authorize }) });
  t.after(() => server.stop());
  asked.length = 0;
  await client.list(configmaps, { namespace: 'default', fieldSelector: 'metadata.name=settings' });
  const selection = { namespace: 'default', fieldSelector: 'metadata.name=settings', resourceVersion: String(server.revision) };
  client.watch(configmaps, selection, () => {}).close();
  await client.list(configmaps, { namespace: 'default', fieldSelector: 'metadata.name!=settings' });
  await client.list(namespaces, { fieldSelector: 'metadata.name=default' });
  assert.deepEqual(asked, [
    'list configmaps default settings',
    'watch configmaps default settings',
    'list configmaps default ',
    'list namespaces  default',
  ]);
});
