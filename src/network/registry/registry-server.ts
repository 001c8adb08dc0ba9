// The home's image registry: Debian's docker-registry on the loopback, started detached, adopted by the next daemon.
import { randomBytes } from 'node:crypto';
import { access, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '#lib/clock.ts';
import { isRunning, runningProcess, startDetached, stopDetached } from '#lib/detached-process.ts';
import { writeMirrorHosts } from './mirror-hosts.ts';

export interface Registry {
  /** On the loopback: for `image load` and pushes. */
  url: string;
  port: number;
  /** containerd's hosts.toml files. */
  hostsDirectory: string;
  /** The registry's URL as machines reach it. */
  mirror: string;
}

const startDeadlineMs = 10_000;

/**
 * Starts or adopts the registry of a home. `mirror` as machines reach it; see `registryAddress` in ../machine/machines.ts.
 * On the port it had, if that is free, or another one; with `port` given on none but that.
 */
export async function ensureRegistry(options: { home: string; clock: Clock; mirror: string; port?: number }): Promise<Registry> {
  const { clock, mirror } = options;
  await mkdir(join(options.home, 'registry', 'storage'), { recursive: true, mode: 0o700 });
  // Its true path: by it the process is found again when the home is removed.
  const directory = await realpath(join(options.home, 'registry'));
  const pidFile = join(directory, 'registry.pid');
  const configFile = join(directory, 'config.yml');
  const logFile = join(directory, 'registry.log');
  const known = await portOf(configFile);
  let running = await runningProcess(pidFile);
  let port = known;
  if (running === undefined || port === undefined) {
    const wanted = options.port ?? known;
    if (wanted !== undefined && (await isFree(wanted))) port = wanted;
    else if (options.port === undefined) port = await freePort();
    else throw new Error(`port ${options.port} of the image registry is taken by another program`);
    await writeFile(configFile, registryConfig(join(directory, 'storage'), port), { mode: 0o600 });
    running = await startDetached({ program: 'docker-registry', args: ['serve', configFile], pidFile, logFile });
  }
  const deadlineMs = clock.monotonicMs() + startDeadlineMs;
  while (!(await answers(port))) {
    if (!(await isRunning(running)) || clock.monotonicMs() > deadlineMs) {
      const log = await readFile(logFile, 'utf8').catch(() => '');
      throw new Error(`the image registry does not start: ${log.trim().split('\n').slice(-2).join(' | ')} (${logFile})`);
    }
    await clock.sleep(20);
  }
  const hostsDirectory = join(directory, 'hosts');
  await writeMirrorHosts(hostsDirectory, mirror, port);
  return { url: `http://127.0.0.1:${port}`, port, hostsDirectory, mirror };
}

/** Whether it lives: cheap enough to ask often. */
export async function registryRuns(home: string): Promise<boolean> {
  return (await runningProcess(join(home, 'registry', 'registry.pid'))) !== undefined;
}

export async function stopRegistry(home: string, clock: Clock): Promise<void> {
  await stopDetached(join(home, 'registry', 'registry.pid'), clock);
}

/** Whether the machine has the program. */
export async function hasRegistryProgram(): Promise<boolean> {
  return access('/usr/bin/docker-registry').then(
    () => true,
    () => false,
  );
}

function registryConfig(storage: string, port: number): string {
  return `version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: ${JSON.stringify(storage)}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:${port}
  # Machines reach it under another address: what it answers must not name one.
  relativeurls: true
  secret: ${randomBytes(16).toString('hex')}
`;
}

async function portOf(configFile: string): Promise<number | undefined> {
  const text = await readFile(configFile, 'utf8').catch(() => '');
  const port = /^ {2}addr: 127\.0\.0\.1:(\d+)$/m.exec(text)?.[1];
  return port === undefined ? undefined : Number(port);
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/v2/`).then(
    (response) => response.ok,
    () => false,
  );
}

async function isFree(port: number): Promise<boolean> {
  return (await tryListen(port)) !== undefined;
}

async function freePort(): Promise<number> {
  const port = await tryListen(0);
  if (port === undefined) throw new Error('no free port on 127.0.0.1 for the image registry');
  return port;
}

function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const { port: found } = server.address() as AddressInfo;
      server.close(() => resolve(found));
    });
  });
}
