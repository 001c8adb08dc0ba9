// Tables of refused requests: each row is one request and the exact status, reason and message that must come back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call, TestServer } from './server.fixture.ts';
import { call, startTestServer } from './server.fixture.ts';

export const pods = '/api/v1/namespaces/default/pods';
export const configmaps = '/api/v1/namespaces/default/configmaps';
export const deployments = '/apis/apps/v1/namespaces/default/deployments';
export const yaml = { 'content-type': 'application/yaml' };

export const configMap = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { a: 'b' },
  ...more,
});
export const pod = (spec: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
export const deployment = (spec: object) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec });
export const template = (labels: object) => ({ metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } });
export const post = (body: unknown, headers?: Record<string, string>): Call => ({ method: 'POST', body, ...(headers && { headers }) });
export const put = (body: unknown): Call => ({ method: 'PUT', body });
export const patch = (type: string, body: unknown): Call => ({
  method: 'PATCH',
  body,
  headers: { 'content-type': `application/${type}-patch+json` },
});
export const remove = (body: object): Call => ({ method: 'DELETE', body: { kind: 'DeleteOptions', apiVersion: 'v1', ...body } });

/** What was asked, and the status, reason and message that must come back. */
type Row = [url: string, sent: Call, status: number, reason: string | undefined, message: string | RegExp];

/** A server that holds the config map `a`, and a function that tests one table of refusals on it. */
export async function startBadInputServer(): Promise<TestServer & { table(name: string, rows: Row[]): void }> {
  const fixture = await startTestServer();
  const { server } = fixture;
  await call(server, configmaps, post(configMap('a')));
  const table = (name: string, rows: Row[]): void => {
    void test(name, async () => {
      const { revision } = server;
      for (const row of rows) await checkRow(fixture, row);
      assert.equal(server.revision, revision, 'a refused request changes nothing');
    });
  };
  return { ...fixture, table };
}

async function checkRow({ server }: TestServer, [url, sent, status, reason, message]: Row): Promise<void> {
  const reply = await call(server, url, sent);
  const said = `${sent.method ?? 'GET'} ${url}: ${reply.text.slice(0, 500)}`;
  const answer = JSON.parse(reply.text) as { kind: string; status: string; code: number; reason?: string; message: string };
  assert.deepEqual([reply.status, answer.kind, answer.status, answer.code], [status, 'Status', 'Failure', status], said);
  assert.equal(answer.reason, reason, said);
  if (typeof message === 'string') assert.equal(answer.message, message, said);
  else assert.match(answer.message, message);
}
