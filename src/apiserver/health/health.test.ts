// Health, metrics and the audit log as their readers see them.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { failure } from '#api/meta/errors.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
import { silentLog } from '#lib/log.ts';
import { seededRandom } from '#lib/random.ts';
import { virtualClock } from '#lib/virtual-clock.ts';
import { createAuditTrail } from '../audit/audit.ts';
import { openRotatedFile } from '../audit/rotated-file.ts';
import type { PathHandler } from '../paths.ts';
import type { RequestContext } from '../request.ts';
import { parseRequestInfo } from '../request-info.ts';
import { createHealth } from './health.ts';
import { combineTrails, createMetrics } from './metrics.ts';

const request = (target: string, method = 'GET'): HttpRequest => ({
  method,
  path: target.split('?')[0]!,
  query: target.split('?')[1] ?? '',
  headers: {},
  remoteAddress: '10.0.0.9',
  body: () => Promise.resolve(Buffer.alloc(0)),
  signal: new AbortController().signal,
});

function contextOf(asked: HttpRequest, name = 'jane', groups = ['system:authenticated']): RequestContext {
  const query = new URLSearchParams(asked.query);
  const info = parseRequestInfo(asked.method, asked.path, query);
  return { info, query, user: { name, groups }, userAgent: 'kubectl/v1.36', signal: asked.signal, warnings: [] };
}

async function get(handle: PathHandler, target: string) {
  const response = (await handle(request(target))) as { status: number; body: Buffer } | undefined;
  return response && [response.status, String(response.body)];
}

test('health checks are told one by one, and a failing one withholds its reason', async () => {
  let broken = false;
  const failures: string[] = [];
  const handle = createHealth(
    [
      { name: 'etcd', check: () => (broken ? Promise.reject(new Error('disk full at /var/secret')) : undefined) },
      { name: 'shutdown', check() {}, endpoints: ['readyz'] },
    ],
    (check) => failures.push(check),
  );
  assert.deepEqual(await get(handle, '/healthz'), [200, 'ok']);
  assert.deepEqual(await get(handle, '/livez?verbose'), [200, '[+]ping ok\n[+]etcd ok\nlivez check passed\n']);
  assert.deepEqual(await get(handle, '/readyz/shutdown'), [200, 'ok']);
  assert.equal(await get(handle, '/livez/shutdown'), undefined);
  broken = true;
  assert.deepEqual(await get(handle, '/readyz'), [
    500,
    '[+]ping ok\n[-]etcd failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n',
  ]);
  assert.deepEqual(await get(handle, '/readyz?exclude=etcd&exclude=x&verbose'), [
    200,
    '[+]ping ok\n[+]etcd excluded: ok\n[+]shutdown ok\nwarn: some health checks cannot be excluded: no matches for "x"\nreadyz check passed\n',
  ]);
  assert.deepEqual(failures, ['etcd']);
});

test("requests are counted under upstream's names, made-up resources without their names", async () => {
  const clock = virtualClock();
  const metrics = createMetrics({ clock, gitVersion: 'v1.36.0+keks', watchers: () => 4, isServed: ({ resource }) => resource === 'pods' });
  const note = async (target: string, status: number, ms = 0) => {
    const entry = metrics.trail.received(request(target), contextOf(request(target)));
    await clock.advance(ms);
    entry.completed({ status });
  };
  await note('/api/v1/namespaces/default/pods', 200, 30);
  await note('/api/v1/namespaces/default/pods', 200, 30);
  await note('/api/v1/nonsense', 404);
  const [, text] = (await get(metrics.handle, '/metrics'))! as [number, string];
  assert.match(
    text,
    /^apiserver_request_total\{verb="LIST",dry_run="",group="",version="v1",resource="pods",subresource="",scope="namespace",component="apiserver",code="200"\} 2$/m,
  );
  assert.match(text, /^apiserver_request_duration_seconds_bucket\{le="0.05",verb="LIST",.*resource="pods".*\} 2$/m);
  assert.match(text, /^apiserver_longrunning_requests 4$/m);
  assert.match(text, /^kubernetes_build_info\{major="1",minor="36",git_version="v1.36.0\+keks"\} 1$/m);
  assert.doesNotMatch(text, /nonsense/);
});

test('the audit log says who did what, leaves out the heartbeat, and stays within its bounds', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'keks-audit-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'logs', 'audit.log');
  const sink = await openRotatedFile({ file, maxBytes: 2_000, keep: 2, log: silentLog });
  const clock = virtualClock();
  const trail = combineTrails([createAuditTrail({ sink, clock, random: seededRandom(1) })]);
  const note = (target: string, method: string, outcome: { status: number; error?: Error }, user?: [string, string[]]) => {
    const asked = request(target, method);
    trail.received(asked, contextOf(asked, user?.[0], user?.[1])).completed(outcome);
  };
  const node: [string, string[]] = ['system:node:a', ['system:nodes']];
  note('/readyz', 'GET', { status: 200 });
  note('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a', 'PUT', { status: 200 }, node);
  const error = failure(403, 'Forbidden', 'secrets "x" is forbidden');
  note('/api/v1/namespaces/default/secrets/x?pretty=1', 'GET', { status: 403, error });
  await sink.flush();
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  assert.equal(lines.length, 1);
  const { auditID, requestReceivedTimestamp, stageTimestamp, ...event } = JSON.parse(lines[0]!);
  assert.match(auditID, /^[0-9a-f-]{36}$/);
  assert.equal(requestReceivedTimestamp, stageTimestamp);
  assert.deepEqual(event, {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    stage: 'ResponseComplete',
    requestURI: '/api/v1/namespaces/default/secrets/x?pretty=1',
    verb: 'get',
    user: { username: 'jane', groups: ['system:authenticated'] },
    sourceIPs: ['10.0.0.9'],
    userAgent: 'kubectl/v1.36',
    objectRef: { resource: 'secrets', namespace: 'default', name: 'x', apiVersion: 'v1' },
    responseStatus: { metadata: {}, status: 'Failure', message: 'secrets "x" is forbidden', reason: 'Forbidden', code: 403 },
    annotations: { 'authorization.k8s.io/decision': 'forbid' },
  });
  for (let i = 0; i < 30; i++) {
    note(`/api/v1/namespaces/default/pods/p${i}`, 'DELETE', { status: 200 });
    await sink.flush();
  }
  await sink.close();
  assert.deepEqual((await readdir(join(folder, 'logs'))).sort(), ['audit.log', 'audit.log.1', 'audit.log.2']);
  for (const name of ['audit.log', 'audit.log.1', 'audit.log.2']) assert.ok((await readFile(join(folder, 'logs', name))).length <= 2_000);
});
