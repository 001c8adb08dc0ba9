// The daemon: many clusters behind one AWS endpoint, on the loopback, for one KEKS_HOME.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { awsEndpoint } from '#aws/endpoint.ts';
import { openIam } from '#aws/iam-records.ts';
import type { Eks } from '#eks/eks.ts';
import { openEks } from '#eks/eks.ts';
import type { Clock } from '#lib/clock.ts';
import { writeDurably } from '#lib/durable-file.ts';
import type { HttpHandler } from '#lib/http/exchange.ts';
import type { HttpServer } from '#lib/http/server.ts';
import { serveHttp } from '#lib/http/server.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { startSqliteThread } from '#store/sqlite-thread.ts';
import { controlHandler } from './fleet/control.ts';
import type { DaemonInfo, Home } from './fleet/home.ts';
import { localClusters } from './fleet/local-clusters.ts';
import { tryLock } from './fleet/lock.ts';
import type { NodeProvider } from './fleet/node-provider.ts';

export interface FleetOptions {
  home: Home;
  port: number;
  region: string;
  provider: NodeProvider;
  version: string;
  clock: Clock;
  random: Random;
  log: Log;
  /** Someone asked over the control interface. */
  onShutdown: () => void;
}

export interface Fleet {
  readonly info: DaemonInfo;
  /** Stops clusters and what their nodes run, and lets go of the home; state stays. */
  stop(): Promise<void>;
}

/** Another daemon has this home. */
export class HomeTakenError extends Error {
  override name = 'HomeTakenError';
}

export class PortTakenError extends Error {
  override name = 'PortTakenError';
}

/** Resolves once the endpoint answers and every recorded cluster is up. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { home, clock, random, log, region, provider } = options;
  await mkdir(home.directory, { recursive: true, mode: 0o700 });
  const lock = tryLock(home.lockFile);
  if (lock === undefined) throw new HomeTakenError(`another keks runs on ${home.directory}`);
  const thread = startSqliteThread();
  const clusters = localClusters({ ...options, thread });
  let server: HttpServer | undefined;
  let eks: Eks | undefined;
  let gone: Promise<void> | undefined;
  const letGo = () => (gone ??= release());
  const release = async () => {
    await server?.close(1000);
    try {
      await eks?.close();
      await clusters.stop();
      await provider.stop();
    } finally {
      await thread.close();
      await rm(home.pidFile, { force: true });
      await rm(home.daemonFile, { force: true });
      lock.release();
    }
  };
  try {
    const iam = await openIam(home.aws, { random, nowMs: clock.now() });
    const token = await controlToken(home, random);
    const ownHosts: string[] = [];
    eks = await openEks({ directory: home.eksState, region, iam, host: clusters, clock, random, log, ownHosts });
    const aws = awsEndpoint(eks.handler, { iam, random, log, now: () => clock.now(), regions: [region] });
    const startedAt = new Date(clock.now()).toISOString();
    const info = () => infoOf(options, server!.port, startedAt);
    const control = controlHandler({ ...options, token, eks, clusters, info, shutdown: options.onShutdown });
    const handler: HttpHandler = (request) => (request.path.startsWith('/-/') ? control(request) : aws(request));
    server = await listen(handler, options);
    ownHosts.push(`127.0.0.1:${server.port}`, `localhost:${server.port}`);
    await announce(home, info());
    await provider.start();
    await eks.resume();
    return { info: info(), stop: letGo };
  } catch (error) {
    await letGo();
    throw error;
  }
}

async function listen(handler: HttpHandler, { port, log }: FleetOptions): Promise<HttpServer> {
  try {
    return await serveHttp({ handler, host: '127.0.0.1', port, log });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new PortTakenError(`port ${port} is taken by another program; choose another with --port (or KEKS_PORT)`, { cause: error });
  }
}

function infoOf({ region, provider }: FleetOptions, port: number, startedAt: string): DaemonInfo {
  return {
    pid: process.pid,
    endpoint: `http://127.0.0.1:${port}`,
    port,
    region,
    runtime: provider.kind,
    startedAt,
  };
}

async function announce(home: Home, info: DaemonInfo): Promise<void> {
  await writeFile(home.pidFile, `${info.pid}\n`, { mode: 0o600 });
  await writeDurably(home.daemonFile, `${JSON.stringify(info)}\n`);
}

async function controlToken(home: Home, random: Random): Promise<string> {
  const present = await readFile(home.tokenFile, 'utf8').catch(() => '');
  if (present !== '') return present;
  const token = random.bytes(32).toString('base64url');
  await mkdir(dirname(home.tokenFile), { recursive: true, mode: 0o700 });
  await writeDurably(home.tokenFile, token);
  return token;
}
