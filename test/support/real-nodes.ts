// What tests with real nodes share: whether this machine can run them, one such test file at a time, and what a home leaves behind.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requirements } from '#cli/requirements.ts';
import type { HeldLock } from '#fleet/lock.ts';
import { tryLock } from '#fleet/lock.ts';
import { systemClock as clock } from '#lib/clock.ts';
import { run } from '#lib/command.ts';
import { sendSignal } from '#lib/detached-process.ts';
import { removeEverything } from '#network/machine/machines.ts';
import { homeNames } from '#network/machine/names.ts';

const waitMs = 300_000;

/** For `skip`: false, or what this machine lacks. */
export async function lackedForRealNodes(): Promise<string | false> {
  const missing = (await requirements()).filter(({ ok }) => !ok).map(({ name }) => name);
  return missing.length > 0 && `real nodes cannot run here, missing: ${missing.join(', ')}; see keks doctor`;
}

export interface TakenMachine {
  /** A new home, in a temporary folder whose name begins with the prefix. */
  newHome(): Promise<string>;
  /** Removes the homes with all they run, and lets the next test have the machine. */
  release(): Promise<void>;
}

/**
 * Waits until no other test file has real nodes on this machine: two at once would only wait for the same processors. Then removes what
 * an earlier run of this test, killed in the middle, has left: its homes are known by the prefix.
 */
export async function takeMachine(prefix: string): Promise<TakenMachine> {
  const lock = await firstInLine(join(tmpdir(), 'keks-real-nodes.lock'));
  for (const name of await readdir(tmpdir())) if (name.startsWith(prefix)) await removeHome(join(tmpdir(), name));
  const homes: string[] = [];
  return {
    async newHome() {
      homes.push(await mkdtemp(join(tmpdir(), prefix)));
      return homes.at(-1)!;
    },
    async release() {
      try {
        for (const home of homes) await removeHome(home);
      } finally {
        lock.release();
      }
    },
  };
}

async function firstInLine(file: string): Promise<HeldLock> {
  const deadlineMs = clock.monotonicMs() + waitMs;
  for (;;) {
    const lock = tryLock(file);
    if (lock !== undefined) return lock;
    if (clock.monotonicMs() > deadlineMs) throw new Error('another test has had the machine for too long');
    await clock.sleep(200);
  }
}

/** A daemon that still runs there is killed: whoever tests how it stops has done so before. */
async function removeHome(home: string): Promise<void> {
  for (const pid of await daemonsOf(home)) sendSignal(pid, 'SIGKILL');
  await removeEverything({ home, clock });
  await rm(home, { recursive: true, force: true, maxRetries: 3 });
}

/** kill -9 of the daemon, the containerds, the shims, the registry and all containers, as when the computer loses its power. */
export async function killEverything(home: string): Promise<void> {
  const { runDirectory, cgroup } = homeNames(home);
  const all = async () => {
    const pids = await daemonsOf(home);
    for (const pid of await processIds()) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const cgroups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
      if (command.includes(home) || command.includes(runDirectory) || cgroups.includes(`:${cgroup}/`)) pids.push(pid);
    }
    return pids;
  };
  for (let pids = await all(); pids.length > 0; pids = await all()) {
    for (const pid of pids) sendSignal(pid, 'SIGKILL');
    await clock.sleep(20);
  }
}

async function processIds(): Promise<number[]> {
  return (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
}

/** The daemons of a home: found by their environment, as their command line does not name it. */
async function daemonsOf(home: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await processIds()) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (command.split('\0').includes('daemon') && environment.split('\0').includes(`KEKS_HOME=${home}`)) found.push(pid);
  }
  return found;
}

/** What of a home is left on this machine: processes, namespaces, links, tables, mounts, cgroups, sockets. */
export async function tracesOf(home: string): Promise<string[]> {
  const names = homeNames(home);
  const matching = async (directory: string, prefix: string) =>
    (await readdir(directory).catch(() => [])).filter((name) => name.startsWith(prefix)).map((name) => join(directory, name));
  const cgroups = (await readdir('/sys/fs/cgroup').catch(() => [])).map((controller) => join('/sys/fs/cgroup', controller));
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(home) || line.includes(names.runDirectory));
  const commands = await Promise.all((await readdir('/proc')).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return [
    ...(await matching('/run/netns', names.namespacePrefix)),
    ...(await matching('/sys/class/net', names.linkPrefix)),
    ...(await matching('/run', `keks-${names.id}`)),
    ...(await matching('/var/lib/cni/results', names.namespacePrefix)),
    ...(await Promise.all(['/sys/fs/cgroup', ...cgroups].map((directory) => matching(directory, names.cgroup.slice(1))))).flat(),
    ...mounts,
    ...commands.filter((command) => command.includes(home) || command.includes(names.runDirectory)),
    ...(await daemonsOf(home)).map((pid) => `daemon ${pid}`),
    ...(await run('nft', ['list', 'tables', 'ip'])).split('\n').filter((line) => line.includes(names.tablePrefix)),
  ];
}
