// Real etcd members for tests: the one in PATH, or Debian's unpacked under node_modules/.cache. They die with this process, however it ends.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#lib/clock.ts';
import { run } from '#lib/command.ts';
import type { EtcdOptions } from '#store/etcd-connection.ts';
import { openEtcdStore } from '#store/etcd.ts';
import { freePort } from './free-port.ts';

const cache = fileURLToPath(new URL('../../node_modules/.cache/keks/etcd', import.meta.url));
const dataPrefix = 'keks-etcd-';

export interface EtcdMember {
  readonly endpoint: string;
  start(): Promise<void>;
  /** kill -9; resolves when it is gone. Its data stays. */
  kill(): Promise<void>;
}

export interface EtcdProcesses extends AsyncDisposable {
  readonly endpoints: readonly string[];
  readonly members: readonly EtcdMember[];
  /** Ends all members and deletes their data; so does disposing. */
  stop(): Promise<void>;
}

/** PEM files that members show to clients and demand of them. */
export interface EtcdTlsFiles {
  ca: string;
  certificate: string;
  key: string;
}

/** The path of `etcd` or `etcdctl`; undefined where there is none and apt cannot bring it. */
export async function etcdProgram(name: 'etcd' | 'etcdctl'): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (await exists(join(folder, name))) return join(folder, name);
  }
  const cached = join(cache, 'usr/bin', name);
  if (!(await exists(cached))) await unpackDebian().catch(() => undefined);
  return (await exists(cached)) ? cached : undefined;
}

/** Why tests that need etcd are skipped; false where they can run. */
export async function etcdIsMissing(): Promise<string | false> {
  return (await etcdProgram('etcd')) === undefined && 'no etcd in PATH, and apt-get cannot download etcd-server';
}

async function unpackDebian(): Promise<void> {
  await mkdir(join(cache, '..'), { recursive: true });
  const scratch = await mkdtemp(`${cache}-`);
  try {
    // As root apt would hand the download to a user that cannot write here, and warn.
    await run('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', '-q', 'etcd-server', 'etcd-client'], { cwd: scratch });
    const tree = join(scratch, 'tree');
    for (const name of await readdir(scratch)) if (name.endsWith('.deb')) await run('dpkg', ['-x', join(scratch, name), tree]);
    await rename(tree, cache);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

export async function startEtcd({ members = 1, tls }: { members?: number; tls?: EtcdTlsFiles } = {}): Promise<EtcdProcesses> {
  await sweepDeadRuns();
  const program = await etcdProgram('etcd');
  if (program === undefined) throw new Error('there is no etcd');
  const folder = await mkdtemp(join(tmpdir(), `${dataPrefix}${process.pid}-`));
  const scheme = tls ? 'https' : 'http';
  const places = [];
  for (let i = 0; i < members; i++) {
    places.push({ name: `m${i}`, client: `${scheme}://127.0.0.1:${await freePort()}`, peer: `http://127.0.0.1:${await freePort()}` });
  }
  const initial = places.map(({ name, peer }) => `${name}=${peer}`).join(',');
  // One member elects itself; several on a busy machine must not lose each other.
  const timing = members === 1 ? ['10', '100'] : ['50', '500'];
  const started = places.map(({ name, client, peer }) => {
    const flags = {
      name,
      'data-dir': join(folder, name),
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': initial,
      'heartbeat-interval': timing[0]!,
      'election-timeout': timing[1]!,
      'log-level': 'fatal',
      'log-outputs': 'stderr',
      logger: 'zap',
      ...(tls && { 'trusted-ca-file': tls.ca, 'cert-file': tls.certificate, 'key-file': tls.key, 'client-cert-auth': 'true' }),
    };
    return createMember(
      program,
      client,
      Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
    );
  });
  await Promise.all(started.map((member) => member.start()));
  const stop = async () => {
    await Promise.all(started.map((member) => member.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  return { endpoints: places.map(({ client }) => client), members: started, stop, [Symbol.asyncDispose]: stop };
}

function createMember(program: string, endpoint: string, flags: string[]): EtcdMember {
  let child: ChildProcess | undefined;
  return {
    endpoint,
    async start() {
      // The kernel kills it when this process ends.
      child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
      await once(child, 'spawn');
      child.unref();
    },
    async kill() {
      const ending = child;
      child = undefined;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      const gone = once(ending, 'exit');
      ending.ref();
      ending.kill('SIGKILL');
      await gone;
    },
  };
}

/** Resolves when the members have a leader and answer. */
export async function untilEtcdAnswers(options: Omit<EtcdOptions, 'clock'>): Promise<void> {
  const store = openEtcdStore({ clock: systemClock, ...options, patienceMs: 20_000 });
  await store.currentRevision();
  await store.close();
}

/** The member that leads, as etcdctl tells. */
export async function etcdLeader(etcd: EtcdProcesses): Promise<number> {
  const etcdctl = (await etcdProgram('etcdctl'))!;
  const args = ['endpoint', 'status', `--endpoints=${etcd.endpoints.join(',')}`, '--write-out=json'];
  const statuses = JSON.parse(await run(etcdctl, args, { env: { ...process.env, ETCDCTL_API: '3' } })) as {
    Endpoint: string;
    Status: { header: { member_id: number }; leader: number };
  }[];
  return etcd.endpoints.indexOf(statuses.find(({ Status }) => Status.header.member_id === Status.leader)!.Endpoint);
}

/** A test process that was killed could not delete its members' data. */
async function sweepDeadRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(dataPrefix) ? Number(name.slice(dataPrefix.length).split('-')[0]) : 0;
    if (pid > 0 && !(await exists(`/proc/${pid}`))) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
