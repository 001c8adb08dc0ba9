// What each kind refuses, word by word.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '#api/generated/apps-v1.ts';
import { deployments } from '#api/generated/resources.ts';
import { ApiError } from '#api/meta/errors.ts';
import { startTestServer } from '../server.fixture.ts';

test('the server answers 422 with every complaint, its field and its reason, and stores nothing', async () => {
  const { server, client } = await startTestServer();
  try {
    const deployment = {
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: -1,
        selector: { matchLabels: { app: 'a' } },
        template: { metadata: { labels: { app: 'b' } }, spec: { containers: [{ name: 'web' }] } },
      },
    } as Deployment;
    const error: unknown = await client.create(deployments, deployment).catch((cause: unknown) => cause);
    assert.ok(error instanceof ApiError);
    const causes = [
      { reason: 'FieldValueInvalid', message: 'Invalid value: -1: must be greater than or equal to 0', field: 'spec.replicas' },
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: {"app":"b"}: `selector` does not match template `labels`',
        field: 'spec.template.metadata.labels',
      },
      { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.template.spec.containers[0].image' },
    ];
    const all = causes.map(({ field, message }) => `${field}: ${message}`).join(', ');
    assert.equal(error.status.code, 422);
    assert.equal(error.status.reason, 'Invalid');
    assert.equal(error.status.message, `Deployment.apps "web" is invalid: [${all}]`);
    assert.deepEqual(error.status.details, { name: 'web', group: 'apps', kind: 'Deployment', causes });
    const { items } = await client.list(deployments, { namespace: 'default' });
    assert.deepEqual(items, []);
  } finally {
    await server.stop();
  }
});
