// etcd from Debian beside us on the same disk: installed already, or unpacked into a cache of the benchmarks. Spoken to in bare gRPC
// frames over one HTTP/2 connection for every 16 writers, so that the client costs as little as it can.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run } from '#lib/command.ts';

const cache = fileURLToPath(new URL('../../node_modules/.cache/keks-bench/', import.meta.url));

export interface Etcd extends AsyncDisposable {
  put(connection: number, key: string, value: Buffer): Promise<void>;
}

/** The path of an etcd, or undefined where none can be had. */
export async function findEtcd(): Promise<string | undefined> {
  const unpacked = join(cache, 'etcd', 'usr', 'bin', 'etcd');
  for (const candidate of ['/usr/bin/etcd', unpacked]) if (await exists(candidate)) return candidate;
  try {
    await mkdir(join(cache, 'etcd'), { recursive: true });
    await run('apt-get', ['download', 'etcd-server'], { cwd: cache });
    const file = (await readdir(cache)).find((name) => name.startsWith('etcd-server_') && name.endsWith('.deb'));
    await run('dpkg', ['-x', join(cache, file!), join(cache, 'etcd')]);
    return unpacked;
  } catch {
    return undefined;
  }
}

export async function startEtcd(program: string, connections: number): Promise<Etcd> {
  const directory = await mkdtemp(join(tmpdir(), 'keks-bench-etcd-'));
  const [client, peer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const flags = ['--data-dir', directory, '--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer];
  const process = spawn(program, [...flags, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`], {
    stdio: 'ignore',
  });
  const ended = once(process, 'exit');
  const sessions: ClientHttp2Session[] = [];
  const stop = async () => {
    for (const session of sessions) session.destroy();
    process.kill('SIGTERM');
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await untilHealthy(client);
    for (let number = 0; number < connections; number++) sessions.push(connect(client));
    return { put: (connection, key, value) => put(sessions[connection % connections]!, key, value), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilHealthy(endpoint: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(`${endpoint}/health`).catch(() => undefined);
    if (response?.ok && (await response.text()).includes('true')) return;
    await sleep(50);
  }
  throw new Error('etcd did not become healthy');
}

/** PutRequest { bytes key = 1; bytes value = 2; } in a gRPC frame. */
function put(session: ClientHttp2Session, key: string, value: Buffer): Promise<void> {
  const fields = Buffer.concat([
    Buffer.from([0x0a]),
    varint(key.length),
    Buffer.from(key),
    Buffer.from([0x12]),
    varint(value.length),
    value,
  ]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(fields.length, 1);
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/etcdserverpb.KV/Put',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: unknown;
    stream.on('trailers', (trailers) => (status = trailers['grpc-status']));
    stream.on('error', reject);
    stream.on('close', () => (status === '0' ? resolve() : reject(new Error(`etcd answered gRPC status ${String(status)}`))));
    stream.resume();
    stream.end(Buffer.concat([frame, fields]));
  });
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
