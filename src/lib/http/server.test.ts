// The server under real clients: node's own http, https and http2, over sockets on loopback.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as http1Request } from 'node:http';
import { connect as http2Connect, type ClientHttp2Session } from 'node:http2';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { test, type TestContext } from 'node:test';
import { createAuthority, issueClient, issueServing } from '../certificates.ts';
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { systemRandom } from '../random.ts';
import { virtualClock } from '../virtual-clock.ts';
import { BodyTooLargeError, type HttpHandler, type HttpRequest } from './exchange.ts';
import { serveHttp, serveTls } from './server.ts';

const issuing = { clock: systemClock, random: systemRandom };
const authority = await createAuthority({ ...issuing, commonName: 'test' });
const serving = await issueServing(authority, { ...issuing, commonName: 'server', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
const json = { 'content-type': 'application/json' };

async function serve(t: TestContext, handler: HttpHandler, clock = systemClock) {
  const server = await serveTls({
    handler,
    host: '127.0.0.1',
    port: 0,
    log: silentLog,
    clock,
    key: serving.key,
    cert: serving.certificate,
    clientCa: authority.certificate,
  });
  t.after(() => server.close(0));
  return server;
}

function fetch1(port: number, options: RequestOptions = {}, body?: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ port, host: '127.0.0.1', ca: authority.certificate, agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, body: text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

function session2(t: TestContext, port: number, options = {}): ClientHttp2Session {
  const session = http2Connect(`https://127.0.0.1:${port}`, { ca: authority.certificate, ...options });
  session.on('error', () => {});
  t.after(() => session.destroy());
  return session;
}

async function fetch2(session: ClientHttp2Session, headers: object, body?: string | Buffer): Promise<{ status: number; body: string }> {
  const stream = session.request({ ...headers }, { endStream: body === undefined });
  stream.on('error', () => {});
  if (body !== undefined) stream.end(body);
  let status = 0;
  stream.on('response', (answer) => (status = answer[':status']!));
  let text = '';
  stream.setEncoding('utf8').on('data', (part) => (text += part));
  await once(stream, 'end');
  return { status, body: text };
}

const echo: HttpHandler = async (request) => {
  const body = await request.body(1024);
  const { method, path, query } = request;
  return {
    status: 200,
    headers: json,
    body: Buffer.from(JSON.stringify({ method, path, query, body: body.toString(), header: request.headers['x-test'] })),
  };
};

test('one port answers HTTP/1.1 and HTTP/2 alike', async (t) => {
  const server = await serve(t, echo);
  const first = await fetch1(server.port, { method: 'POST', path: '/a%20b?x=1', headers: { 'X-Test': 'yes' } }, 'hello');
  const second = await fetch2(session2(t, server.port), { ':method': 'POST', ':path': '/a%20b?x=1', 'x-test': 'yes' }, 'hello');
  assert.deepEqual(JSON.parse(first.body), { method: 'POST', path: '/a%20b', query: 'x=1', body: 'hello', header: 'yes' });
  assert.deepEqual(second, first);
});

test('many chunks arrive whole and in order over both protocols', async (t) => {
  const chunks = Array.from({ length: 3000 }, (_, i) => Buffer.from(`${i},`.repeat(100)));
  const expected = Buffer.concat(chunks).toString();
  const server = await serve(t, async () => ({ status: 200, headers: json, body: chunks }));
  assert.equal((await fetch1(server.port)).body, expected);
  assert.equal((await fetch2(session2(t, server.port), { ':path': '/' })).body, expected);
});

test('a body above the limit is refused and the connection serves the next request', async (t) => {
  const server = await serve(t, async (request) => {
    if (request.method === 'GET') return { status: 200, headers: {}, body: Buffer.from('fine') };
    try {
      await request.body(1000);
      return { status: 200, headers: {}, body: Buffer.alloc(0) };
    } catch (error) {
      assert.ok(error instanceof BodyTooLargeError);
      return { status: 413, headers: {}, body: Buffer.from('too large') };
    }
  });
  const session = session2(t, server.port);
  assert.deepEqual(await fetch2(session, { ':method': 'POST', ':path': '/' }, Buffer.alloc(500_000)), { status: 413, body: 'too large' });
  assert.deepEqual(await fetch2(session, { ':path': '/' }), { status: 200, body: 'fine' });
});

test('a handler that throws answers a 500 Status and is logged once', async (t) => {
  const logged: string[] = [];
  const log = { ...silentLog, error: (_: object, message: string) => void logged.push(message) };
  const server = await serveHttp({ handler: () => Promise.reject(new Error('secret detail')), host: '127.0.0.1', port: 0, log });
  t.after(() => server.close(0));
  const answer = await new Promise<{ status: number; body: string }>((resolve) => {
    http1Request({ port: server.port, host: '127.0.0.1', agent: false }, (response) => {
      let body = '';
      response.on('data', (part) => (body += part)).on('end', () => resolve({ status: response.statusCode!, body }));
    }).end();
  });
  assert.equal(answer.status, 500);
  assert.equal(JSON.parse(answer.body).reason, 'InternalError');
  assert.doesNotMatch(answer.body, /secret/);
  assert.deepEqual(logged, ['request failed']);
});

test('only a valid certificate of the client authority is an identity', async (t) => {
  const seen: boolean[] = [];
  const clock = virtualClock(Date.now());
  const handler: HttpHandler = async (request: HttpRequest) => {
    seen.push(request.clientCertificate !== undefined);
    return { status: 200, headers: {}, body: Buffer.alloc(0) };
  };
  const server = await serve(t, handler, clock);
  const stranger = await createAuthority({ ...issuing, commonName: 'test' });
  const good = await issueClient(authority, { ...issuing, commonName: 'jane' });
  const foreign = await issueClient(stranger, { ...issuing, commonName: 'jane' });
  const notForClients = serving;
  for (const pair of [good, foreign, notForClients]) await fetch1(server.port, { cert: pair.certificate, key: pair.key });
  await fetch1(server.port);
  assert.deepEqual(seen, [true, false, false, false]);

  const session = session2(t, server.port, { cert: good.certificate, key: good.key });
  await fetch2(session, { ':path': '/' });
  await clock.advance(366 * 86_400_000);
  await fetch2(session, { ':path': '/' });
  assert.deepEqual(seen.slice(4), [true, false], 'a certificate that runs out during a connection stops counting');
});

test('a client that goes away aborts the signal, over both protocols', async (t) => {
  const aborted: Promise<unknown>[] = [];
  const server = await serve(t, async (request) => {
    aborted.push(once(request.signal, 'abort'));
    return {
      status: 200,
      headers: {},
      body: async (sink) => {
        sink.write([Buffer.from('first')]);
        await once(request.signal, 'abort');
      },
    };
  });
  const session = session2(t, server.port);
  const stream = session.request({ ':path': '/' });
  stream.on('error', () => {});
  await once(stream, 'data');
  stream.close(8);
  const plain = httpsRequest({ port: server.port, host: '127.0.0.1', ca: authority.certificate, agent: false });
  plain.on('error', () => {});
  plain.end();
  const [response] = await once(plain, 'response');
  await once(response, 'data');
  plain.destroy();
  assert.equal(aborted.length, 2);
  await Promise.all(aborted);
});

test('a slow reader is seen by the writer', async (t) => {
  const full = Promise.withResolvers<number>();
  const server = await serve(t, async (request) => ({
    status: 200,
    headers: {},
    body: async (sink) => {
      const chunk = Buffer.alloc(64 * 1024);
      while (sink.write([chunk]));
      full.resolve(sink.pendingBytes);
      await Promise.race([sink.drained(), once(request.signal, 'abort')]);
    },
  }));
  const stream = session2(t, server.port).request({ ':path': '/' });
  stream.on('error', () => {});
  await once(stream, 'response');
  assert.ok((await full.promise) > 0);
  stream.close();
});

test('closing ends watches cleanly, lets requests finish and then is over', async (t) => {
  const release = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const server = await serve(t, async (request) => {
    if (request.path === '/slow') {
      arrived.resolve();
      await release.promise;
      return { status: 200, headers: {}, body: Buffer.from('done') };
    }
    return {
      status: 200,
      headers: {},
      body: async (sink) => {
        sink.write([Buffer.from('event\n')]);
        if (!request.signal.aborted) await once(request.signal, 'abort');
      },
    };
  });
  const session = session2(t, server.port);
  const watch = session.request({ ':path': '/watch' });
  let text = '';
  watch.setEncoding('utf8').on('data', (part) => (text += part));
  await once(watch, 'data');
  const slow = fetch2(session, { ':path': '/slow' });
  await arrived.promise;
  const ended = once(watch, 'end');
  const closed = server.close(5_000);
  await ended;
  release.resolve();
  assert.equal((await slow).body, 'done');
  await closed;
  assert.equal(text, 'event\n');
  assert.equal(server.connections(), 0);
});

test('closing cuts a request that does not end within the grace', async (t) => {
  const server = await serve(t, () => new Promise(() => {}));
  const session = session2(t, server.port);
  const stuck = session.request({ ':path': '/' });
  stuck.on('error', () => {});
  await once(session, 'connect');
  await server.close(50);
});

test('an upgrade that nobody takes gets an ordinary answer', async (t) => {
  const server = await serve(t, async (request) => ({ status: request.upgrade ? 403 : 200, headers: {}, body: Buffer.from('no') }));
  const answer = await fetch1(server.port, { headers: { connection: 'Upgrade', upgrade: 'websocket' } });
  assert.deepEqual(answer, { status: 403, body: 'no' });
});

test('an upgrade hands over the socket', async (t) => {
  const server = await serve(t, async (request) => {
    request.upgrade!.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbytes');
    return { upgraded: true };
  });
  const request = httpsRequest({
    port: server.port,
    host: '127.0.0.1',
    ca: authority.certificate,
    agent: false,
    headers: { connection: 'Upgrade', upgrade: 'x' },
  });
  request.end();
  const [response, socket, head] = await once(request, 'upgrade');
  assert.equal(response.statusCode, 101);
  assert.equal(head.length > 0 ? head.toString() : String(await once(socket, 'data')), 'bytes');
  socket.destroy();
});
