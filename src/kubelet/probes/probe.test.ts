// Probes over real sockets on this machine, and what they say when they fail.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Probe } from '#api/generated/core-v1.ts';
import type { ContainerRuntime } from '../runtime/runtime.ts';
import { runProbe } from './probe.ts';

describe('a probe', () => {
  let port: number;
  let closedPort: number;
  const server = createServer((request, response) => {
    if (request.url === '/away') return response.writeHead(302, { location: '/fine' }).end();
    if (request.url === '/hangs') return undefined;
    return response.writeHead(request.url === '/fine' && request.headers['user-agent'] === 'kube-probe/1.36' ? 200 : 500).end('body');
  });
  before(async () => {
    const closed = createServer();
    for (const each of [server, closed]) await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    closedPort = (closed.address() as AddressInfo).port;
    await new Promise((resolve) => closed.close(resolve));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const runtime = {
    execSync: (_: string, [word]: string[]) =>
      Promise.resolve({ exitCode: word === 'true' ? 0 : 1, stdout: Buffer.from('out '), stderr: Buffer.from('err') }),
  } as unknown as ContainerRuntime;
  const run = async (probe: Probe) => {
    const container = { name: 'main', ports: [{ name: 'web', containerPort: port }] };
    const { outcome, output } = await runProbe(probe, { containerId: 'c', container, podIp: '127.0.0.1', kind: 'liveness' }, runtime);
    return `${outcome}: ${output}`;
  };

  test('by HTTP passes below 400, follows redirects and finds named ports', async () => {
    assert.equal(await run({ httpGet: { path: '/fine', port: 'web' } }), 'success: body');
    assert.equal(await run({ httpGet: { path: '/away', port } }), 'success: body');
  });
  test('by HTTP says what went wrong', async () => {
    assert.equal(await run({ httpGet: { path: '/ill', port } }), 'failure: HTTP probe failed with statuscode: 500');
    const refused = `Get "http://127.0.0.1:${closedPort}/": dial tcp 127.0.0.1:${closedPort}: connect: connection refused`;
    assert.equal(await run({ httpGet: { port: closedPort } }), `failure: ${refused}`);
    const late = `Get "http://127.0.0.1:${port}/hangs": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`;
    assert.equal(await run({ httpGet: { path: '/hangs', port }, timeoutSeconds: 0.05 }), `failure: ${late}`);
    assert.equal(await run({ httpGet: { port: 'none' } }), `unknown: couldn't find port: "none"`);
  });
  test('by TCP needs a listener', async () => {
    assert.equal(await run({ tcpSocket: { port } }), 'success: ');
    assert.equal(await run({ tcpSocket: { port: closedPort } }), `failure: dial tcp 127.0.0.1:${closedPort}: connect: connection refused`);
  });
  test('by command passes with exit code 0', async () => {
    assert.equal(await run({ exec: { command: ['true'] } }), 'success: out err');
    assert.equal(await run({ exec: { command: ['false'] } }), 'failure: out err');
  });
  test('by gRPC fails where nobody serves it', async () => {
    assert.match(await run({ grpc: { port: closedPort } }), /^failure: timeout: failed to connect service "127\.0\.0\.1:\d+" within 1s/);
  });
});
