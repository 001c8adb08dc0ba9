// Logs, exec and port-forward as real clients use them: kubectl over WebSocket and SPDY, against a kubelet that a test plays.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test, type TestContext } from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import { ApiError, pathNotFound } from '#api/meta/errors.ts';
import type { ExecStreams, KubeletConnection, LogOptions } from '#client/kubelet-connection.ts';
import { createAuthority, issueServing } from '#lib/certificates.ts';
import { systemClock } from '#lib/clock.ts';
import type { HttpHandler } from '#lib/http/exchange.ts';
import { answerFailure } from '#lib/http/failure.ts';
import { serveTls } from '#lib/http/server.ts';
import { silentLog } from '#lib/log.ts';
import { systemRandom } from '#lib/random.ts';
import { allResources } from '#api/resources.ts';
import { discoveredFrom } from '../discovery/discovered-resource.ts';
import { createDiscovery } from '../discovery/discovery.ts';
import { parseRequestInfo } from '../request-info.ts';
import type { RequestContext } from '../request.ts';
import { connectHandlers } from './connect.ts';
import { containerOf, mustHaveLog } from './pod-target.ts';

const pod: Pod = {
  metadata: { name: 'web', namespace: 'default', uid: 'u' },
  spec: { nodeName: 'n', containers: [{ name: 'c', image: 'x' }] },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'c', ready: true, restartCount: 0, image: 'x', imageID: 'x', state: { running: {} } }],
  },
};

/** Plays `cat`, `exit N` and an echo server on every port but 9. */
function playedKubelet(seen: LogOptions[]): KubeletConnection {
  const run = async (command: string, streams: ExecStreams): Promise<number> => {
    if (command === 'cat') await pipeline(streams.stdin!, streams.stdout!, { end: false });
    else if (command === 'fail') throw new Error('no such file');
    else {
      await new Promise<void>((resolve) => streams.stdout!.write('out\n', () => resolve()));
      await new Promise<void>((resolve) => (streams.stderr ?? streams.stdout!).write('err\n', () => resolve()));
    }
    return command.startsWith('exit') ? Number(command.slice(4)) : 0;
  };
  return {
    async logs(_target, options) {
      seen.push(options);
      return Readable.from([Buffer.from('line 1\n'), Buffer.from('line 2\n')]);
    },
    exec: (_target, { command }, streams) => run(command.join(' '), streams),
    async attach(_target, _options, streams) {
      await run('cat', streams);
    },
    async portForward(_target, port, { readable, writable }) {
      if (port === 9) throw new Error('connection refused');
      await pipeline(readable, writable);
    },
    get: async (path) => ({ status: 200, contentType: 'text/plain', body: `kubelet says ${path}` }),
  };
}

async function serve(t: TestContext) {
  const logs: LogOptions[] = [];
  const kubelet = playedKubelet(logs);
  const requests: string[] = [];
  const handlers = connectHandlers({
    clock: systemClock,
    pod: (namespace, name) => (namespace === 'default' && name === 'web' ? pod : undefined),
    nodeExists: (name) => name === 'n',
    kubelets: (node) => (node === 'n' ? kubelet : undefined),
  });
  const handler: HttpHandler = async (request) => {
    requests.push(`${request.method} ${request.headers.upgrade ?? ''} ${request.headers['sec-websocket-protocol'] ?? ''}`);
    const query = new URLSearchParams(request.query);
    const info = parseRequestInfo(request.method, request.path, query);
    const context: RequestContext = { info, query, user: { name: 'x', groups: [] }, userAgent: '', signal: request.signal, warnings: [] };
    try {
      if (info.resource === 'pods' && info.subresource === '') {
        const body = Buffer.from(JSON.stringify({ kind: 'Pod', apiVersion: 'v1', ...pod }));
        return { status: 200, headers: { 'content-type': 'application/json' }, body };
      }
      const document = await discovery.handle(request);
      if (document) return document;
      const connectTo = handlers[`${info.resource}/${info.subresource}`];
      return connectTo ? await connectTo(request, context) : answerFailure(pathNotFound());
    } catch (error) {
      if (error instanceof ApiError) return answerFailure(error);
      throw error;
    }
  };
  const issuing = { clock: systemClock, random: systemRandom };
  const authority = await createAuthority({ ...issuing, commonName: 'test' });
  const pair = await issueServing(authority, { ...issuing, commonName: 'server', dnsNames: [], ipAddresses: ['127.0.0.1'] });
  const server = await serveTls({ handler, host: '127.0.0.1', port: 0, key: pair.key, cert: pair.certificate, log: silentLog });
  const home = await mkdtemp(join(tmpdir(), 'keks-streaming-'));
  t.after(async () => {
    await server.close(0);
    await rm(home, { recursive: true });
  });
  const flags = [`--server=https://127.0.0.1:${server.port}`, '--insecure-skip-tls-verify', '--token=x', `--cache-dir=${home}`];
  return { requests, logs, flags, env: { ...process.env, HOME: home, KUBECONFIG: join(home, 'none') } };
}

type Served = Awaited<ReturnType<typeof serve>>;
const discovery = createDiscovery({
  resources: () => allResources.filter((info) => info.group === '').map(discoveredFrom),
  serverAddress: () => '',
  gitVersion: 'v1.36.0+keks',
});
const kubectl = ['/usr/bin/kubectl', process.env.KEKS_TEST_KUBECTL ?? ''].find((path) => path !== '' && existsSync(path));
const skip = kubectl === undefined && 'no kubectl here';

function run(served: Served, args: string[], input?: string | Buffer, env = {}): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { env: { ...served.env, ...env }, maxBuffer: 64e6, timeout: 20_000 };
    const child = execFile(kubectl!, [...served.flags, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
    if (input !== undefined) child.stdin!.end(input);
  });
}

for (const [way, env] of [
  ['WebSocket', {}],
  ['SPDY', { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }],
] as const) {
  test(`kubectl exec over ${way}: output, exit code, stdin to its end, large data`, { skip, timeout: 20_000 }, async (t) => {
    const served = await serve(t);
    assert.deepEqual(await run(served, ['exec', 'web', '--', 'say'], undefined, env), { code: 0, stdout: 'out\n', stderr: 'err\n' });
    const failed = await run(served, ['exec', 'web', '--', 'exit', '7'], undefined, env);
    assert.deepEqual([failed.code, failed.stdout], [7, 'out\n']);
    assert.match(failed.stderr, /command terminated with exit code 7/);
    const broken = await run(served, ['exec', 'web', '--', 'fail'], undefined, env);
    assert.match(broken.stderr, /no such file/);
    const big = Buffer.alloc(3_000_000, 'abcdefg\n').toString();
    const echoed = await run(served, ['exec', '-i', 'web', '--', 'cat'], big, env);
    assert.ok(echoed.stdout === big, `${echoed.stdout.length} of ${big.length} bytes came back; ${echoed.stderr}`);
  });

  test(`kubectl port-forward over ${way}: bytes both ways, errors told`, { skip, timeout: 20_000 }, async (t) => {
    const served = await serve(t);
    const child = spawn(kubectl!, [...served.flags, 'port-forward', 'web', ':80', ':9'], { env: { ...served.env, ...env } });
    t.after(() => child.kill('SIGKILL'));
    let text = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (errors += chunk));
    const portOf = async (target: number) => {
      for (;;) {
        const found = new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${target}\\n`).exec(text);
        if (found) return Number(found[1]);
        await once(child.stdout, 'data');
      }
    };
    const socket = connect(await portOf(80), '127.0.0.1');
    const sent = Buffer.alloc(1_000_000, 'port forward ');
    let got = 0;
    socket.on('data', (chunk) => {
      got += chunk.length;
      if (got >= sent.length) socket.end();
    });
    socket.write(sent);
    await once(socket, 'close');
    assert.equal(got, sent.length);
    const refused = connect(await portOf(9), '127.0.0.1');
    refused.on('error', () => {});
    refused.resume();
    await once(refused, 'close');
    while (!/error forwarding port 9 to pod web, uid u: connection refused/.test(errors)) await once(child.stderr, 'data');
    assert.match(served.requests.at(-1)!, way === 'SPDY' ? /^POST SPDY\/3\.1/ : /^GET websocket SPDY\/3\.1\+portforward\.k8s\.io/);
  });
}

test('kubectl logs hands its options on', { skip, timeout: 20_000 }, async (t) => {
  const served = await serve(t);
  const { stdout } = await run(served, ['logs', 'web', '--tail=5', '--timestamps', '--limit-bytes=100', '--previous=false']);
  assert.equal(stdout, 'line 1\nline 2\n');
  assert.deepEqual(served.logs, [{ timestamps: true, tailLines: 5, limitBytes: 100 }]);
  const negative = await run(served, ['get', '--raw', '/api/v1/namespaces/default/pods/web/log?tailLines=-3']);
  assert.match(negative.stderr, /PodLogOptions "web" is invalid: tailLines: Invalid value: -3: must be greater than or equal to 0/);
  assert.equal((await run(served, ['get', '--raw', '/api/v1/nodes/n/proxy/stats/summary?x=1'])).stdout, 'kubelet says /stats/summary?x=1');
});

test("what cannot be reached is told in upstream's words", () => {
  const two: Pod = { ...pod, spec: { containers: [{ name: 'a' }, { name: 'b' }], initContainers: [{ name: 'i' }] } };
  assert.throws(
    () => containerOf(two, ''),
    /^ApiError: a container name must be specified for pod web, choose one of: \[a b\] or one of the init containers: \[i\]$/,
  );
  assert.throws(() => containerOf(two, 'z'), /^ApiError: container z is not valid for pod web$/);
  const state = (waiting: object): Pod => ({
    ...pod,
    status: { containerStatuses: [{ name: 'c', ready: false, restartCount: 0, image: '', imageID: '', state: { waiting } }] },
  });
  assert.throws(
    () => mustHaveLog(state({ reason: 'ContainerCreating' }), 'c', false),
    /container "c" in pod "web" is waiting to start: ContainerCreating$/,
  );
  assert.throws(
    () => mustHaveLog(state({ reason: 'ImagePullBackOff' }), 'c', false),
    /is waiting to start: trying and failing to pull image$/,
  );
  assert.throws(() => mustHaveLog(pod, 'c', true), /previous terminated container "c" in pod "web" not found$/);
});
