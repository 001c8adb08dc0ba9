// The containerd of one machine: configured, started inside the machine's network namespace, or adopted if it runs already.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '#lib/clock.ts';
import { run, tryRun } from '#lib/command.ts';
import type { ProcessRecord } from '#lib/detached-process.ts';
import { isRunning, runningProcess, startDetached } from '#lib/detached-process.ts';
import { podRange } from '../ipam/subnet-plan.ts';
import type { SubnetPlan } from '../ipam/subnet-plan.ts';
import type { ContainerdPaths } from './containerd-config.ts';
import { cniConfig, containerdConfig } from './containerd-config.ts';
import type { MachineRecord } from './machine-files.ts';
import { machineDirectory } from './machine-files.ts';
import type { MachineNames } from './names.ts';
import { namespacePath } from './names.ts';
import { pauseImage, pauseImageArchive } from './pause-image.ts';

const startDeadlineMs = 20_000;

export const socketOf = (names: MachineNames): string => join(names.runDirectory, 'containerd.sock');

function containerdPaths(home: string, record: MachineRecord, names: MachineNames): ContainerdPaths {
  const directory = machineDirectory(home, record.cluster, record.id);
  return {
    root: join(directory, 'containerd'),
    state: join(names.runDirectory, 'state'),
    socket: socketOf(names),
    runcRoot: join(names.runDirectory, 'runc'),
    cniConfig: join(directory, 'cni'),
    registryHosts: join(home, 'registry', 'hosts'),
  };
}

export async function ensureContainerd(options: {
  home: string;
  record: MachineRecord;
  names: MachineNames;
  plan: SubnetPlan;
  clock: Clock;
}): Promise<ContainerdPaths> {
  const { home, record, names, plan, clock } = options;
  const directory = machineDirectory(home, record.cluster, record.id);
  const paths = containerdPaths(home, record, names);
  const pidFile = join(directory, 'containerd.pid');
  let running = await runningProcess(pidFile);
  if (running === undefined) {
    for (const path of [paths.root, paths.state, paths.cniConfig, paths.registryHosts]) await mkdir(path, { recursive: true, mode: 0o711 });
    const network = cniConfig({
      network: names.cniNetwork,
      subnet: plan.cidr,
      range: podRange(plan, record.block, record.blockCount),
      address: record.address,
      dataDirectory: join(names.runDirectory, 'ipam'),
    });
    await writeFile(join(paths.cniConfig, '10-keks.conflist'), network);
    const snapshotter = (await overlayWorks(directory)) ? 'overlayfs' : 'native';
    const configFile = join(directory, 'containerd.toml');
    await writeFile(configFile, containerdConfig({ paths, address: record.address, pauseImage, snapshotter }));
    running = await startDetached({
      program: 'nsenter',
      args: [`--net=${namespacePath(names.namespace)}`, 'containerd', '--config', configFile],
      pidFile,
      logFile: join(directory, 'containerd.log'),
    });
  }
  await waitForSocket(paths.socket, running, join(directory, 'containerd.log'), clock);
  return paths;
}

/** Whether its containerd lives: cheap enough to ask often. */
export async function containerdRuns(home: string, cluster: string, id: string): Promise<boolean> {
  return (await runningProcess(join(machineDirectory(home, cluster, id), 'containerd.pid'))) !== undefined;
}

export async function importPauseImage(paths: ContainerdPaths): Promise<void> {
  const args = ['--address', paths.socket, '--namespace', 'k8s.io', 'images', 'import', '--digests=false', '-'];
  await run('ctr', args, { input: pauseImageArchive() });
}

/** Resolves when containerd accepts connections; rejects with the end of its log when it ended or takes too long. */
async function waitForSocket(socket: string, process: ProcessRecord, logFile: string, clock: Clock): Promise<void> {
  const deadlineMs = clock.monotonicMs() + startDeadlineMs;
  for (;;) {
    if (await accepts(socket)) return;
    const alive = await isRunning(process);
    if (!alive || clock.monotonicMs() > deadlineMs) {
      const log = await readFile(logFile, 'utf8').catch(() => '');
      throw new Error(`containerd ${alive ? 'does not answer' : 'ended'}: ${log.trim().split('\n').slice(-3).join(' | ')} (${logFile})`);
    }
    await clock.sleep(10);
  }
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.on('connect', () => resolve(true));
    connection.on('error', () => resolve(false));
    connection.on('connect', () => connection.destroy());
  });
}

/** Overlay mounts do not work on top of an overlay, as in many containers: then layers are copied. */
async function overlayWorks(directory: string): Promise<boolean> {
  const base = join(directory, 'overlay-check');
  for (const name of ['lower', 'upper', 'work', 'merged']) await mkdir(join(base, name), { recursive: true });
  const layers = `lowerdir=${base}/lower,upperdir=${base}/upper,workdir=${base}/work`;
  const mounted = (await tryRun('mount', ['-t', 'overlay', 'overlay', '-o', layers, `${base}/merged`])).code === 0;
  if (mounted) await run('umount', [`${base}/merged`]);
  return mounted;
}
