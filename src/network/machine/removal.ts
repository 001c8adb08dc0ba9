// Taking machines away without leaving anything: by what is found on this computer under the home's names, so that it also works after
// a kill in the middle of making or removing them.
import { readFile, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#lib/clock.ts';
import { run, tryRun } from '#lib/command.ts';
import { sendSignal } from '#lib/detached-process.ts';
import { clusterDirectory, machineDirectory, removeDirectory } from './machine-files.ts';
import type { HomeNames } from './names.ts';
import { clusterNames, homeNames, machineNames } from './names.ts';

const endDeadlineMs = 10_000;

export async function removeMachineTraces(home: string, cluster: string, id: string, clock: Clock): Promise<void> {
  const inCluster = clusterNames(homeNames(home), cluster);
  const names = machineNames(homeNames(home), inCluster, id);
  const directory = machineDirectory(home, cluster, id);
  await endProcesses({ cgroup: names.cgroup, directories: [names.runDirectory, directory] }, clock);
  await removeShimSockets(names.runDirectory);
  await unmountBelow([names.runDirectory, directory]);
  await removeNamespace(names.namespace);
  await removeCniResults(`${names.cniNetwork}-`, await sandboxIds(directory));
  await removeCgroup(names.cgroup);
  await removeDirectory(names.runDirectory);
  await removeDirectory(directory);
}

/** The subnet's network; its machines must be gone. */
export async function removeClusterTraces(home: string, cluster: string): Promise<void> {
  const names = clusterNames(homeNames(home), cluster);
  await tryRun('nft', ['delete', 'table', 'ip', names.table]);
  await tryRun('ip', ['link', 'delete', names.link]);
  await removeNamespace(names.fabric);
  await removeDirectory(clusterDirectory(home, cluster));
  // What the home's last cluster leaves empty; with another cluster running they are not.
  const { runDirectory, cgroup } = homeNames(home);
  const controllers = await listNames('/sys/fs/cgroup', '');
  const shared = [runDirectory, join('/sys/fs/cgroup', cgroup), ...controllers.map((name) => join('/sys/fs/cgroup', name, cgroup))];
  for (const directory of shared) await rmdir(directory).catch(() => undefined);
}

/**
 * Ends everything that a home runs and all that lives in the kernel; its files stay, as a computer's do when it is switched off.
 * Answers whether another home has networks on this computer.
 */
export async function stopHomeTraces(home: string, clock: Clock): Promise<boolean> {
  const names = homeNames(home);
  const directories = [names.runDirectory, join(home, 'machines'), join(home, 'registry')];
  await endProcesses({ cgroup: names.cgroup, directories }, clock);
  await removeShimSockets(names.runDirectory);
  await unmountBelow(directories);
  for (const namespace of await listNames('/run/netns', names.namespacePrefix)) await removeNamespace(namespace);
  for (const link of await listNames('/sys/class/net', names.linkPrefix)) await tryRun('ip', ['link', 'delete', link]);
  for (const table of await ourTables(names)) await tryRun('nft', ['delete', 'table', 'ip', table]);
  const machines = await readdir(join(home, 'machines'), { recursive: true, withFileTypes: true }).catch(() => []);
  const roots = machines.filter((entry) => entry.name === 'machine.json').map((entry) => entry.parentPath);
  await removeCniResults(names.namespacePrefix, (await Promise.all(roots.map(sandboxIds))).flat());
  await removeCgroup(names.cgroup);
  await removeDirectory(names.runDirectory);
  return (await listNames('/sys/class/net', 'keks')).length > 0;
}

/** Kills containerd first, so that it cannot restart or clean up what we remove, then containers, then their shims. */
async function endProcesses(where: { cgroup: string; directories: string[] }, clock: Clock): Promise<void> {
  const deadlineMs = clock.monotonicMs() + endDeadlineMs;
  for (;;) {
    const pids = [...(await processesNaming(where.directories)), ...(await processesIn(where.cgroup))];
    if (pids.length === 0) return;
    for (const pid of pids) sendSignal(pid, 'SIGKILL');
    if (clock.monotonicMs() > deadlineMs) throw new Error(`processes do not end: ${pids.join(', ')}`);
    await clock.sleep(20);
  }
}

/** containerd (its configuration), its shims (its socket) and the registry name our directories in their arguments. */
async function processesNaming(directories: string[]): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!(pid > 1) || pid === process.pid) continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    const [program = '', ...args] = command.split('\0');
    if (!/(^|\/)(nsenter|containerd|containerd-shim\S*|docker-registry|runc|ctr)$/.test(program)) continue;
    if (args.some((arg) => directories.some((directory) => arg === directory || arg.startsWith(`${directory}/`)))) found.push(pid);
  }
  return found;
}

async function processesIn(cgroup: string): Promise<number[]> {
  const pids = new Set<number>();
  for (const directory of await cgroupDirectories(cgroup)) {
    const text = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '');
    for (const line of text.split('\n')) if (Number(line) > 1) pids.add(Number(line));
  }
  return [...pids];
}

async function removeCgroup(cgroup: string): Promise<void> {
  // Deepest first: the list is in order of depth.
  for (const directory of (await cgroupDirectories(cgroup)).reverse()) {
    await rmdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'EBUSY') throw error;
    });
  }
}

/** The cgroup and all below it, in each hierarchy (one on cgroup v2), parents before children. */
async function cgroupDirectories(cgroup: string): Promise<string[]> {
  const controllers = (await listNames('/sys/fs/cgroup', '')).map((name) => join('/sys/fs/cgroup', name, cgroup));
  const found: string[] = [];
  const visit = async (directory: string): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) return;
    found.push(directory);
    for (const entry of entries) if (entry.isDirectory()) await visit(join(directory, entry.name));
  };
  for (const root of [join('/sys/fs/cgroup', cgroup), ...controllers]) await visit(root);
  return found;
}

/** A shim's socket is outside our directories; the shim wrote its address into its bundle. */
async function removeShimSockets(runDirectory: string): Promise<void> {
  const entries = await readdir(runDirectory, { withFileTypes: true, recursive: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.name !== 'address' || !entry.isFile()) continue;
    const address = (await readFile(join(entry.parentPath, entry.name), 'utf8').catch(() => '')).trim();
    if (address.startsWith('unix:///run/containerd/s/')) await rm(address.slice('unix://'.length), { force: true });
  }
}

async function unmountBelow(directories: string[]): Promise<void> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const points = table
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))))
    .filter((point) => directories.some((directory) => point.startsWith(`${directory}/`)));
  for (const point of points.reverse()) await tryRun('umount', ['--lazy', point]);
}

/** libcni remembers each pod's networks, ours and the loopback, under a path that cannot be chosen. */
async function removeCniResults(prefix: string, sandboxes: string[]): Promise<void> {
  const directory = '/var/lib/cni/results';
  const ours = await listNames(directory, prefix);
  for (const name of [...ours, ...sandboxes.map((id) => `cni-loopback-${id}-lo`)]) await rm(join(directory, name), { force: true });
}

async function sandboxIds(machineDirectory: string): Promise<string[]> {
  return listNames(join(machineDirectory, 'containerd', 'io.containerd.grpc.v1.cri', 'sandboxes'), '');
}

async function removeNamespace(namespace: string): Promise<void> {
  if ((await listNames('/run/netns', namespace)).includes(namespace)) await run('ip', ['netns', 'delete', namespace]);
}

async function ourTables(names: HomeNames): Promise<string[]> {
  const listing = await tryRun('nft', ['list', 'tables', 'ip']);
  return listing.stdout
    .split('\n')
    .map((line) => line.split(' ')[2] ?? '')
    .filter((table) => table.startsWith(names.tablePrefix));
}

async function listNames(directory: string, prefix: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => name.startsWith(prefix));
}
