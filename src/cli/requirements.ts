// What real nodes need of this machine, what is missing, and how to get it.
import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export interface Requirement {
  name: string;
  ok: boolean;
  detail: string;
  /** What to do when it is missing. */
  fix: string;
  /** Debian's package that brings it. */
  debianPackage?: string;
}

const programs: [program: string, debianPackage: string, why: string][] = [
  ['containerd', 'containerd', 'runs the containers'],
  ['runc', 'runc', 'starts the processes of containers'],
  ['nft', 'nftables', 'routes services'],
  ['ip', 'iproute2', 'makes the nodes networks'],
  ['nsenter', 'util-linux', 'enters the nodes networks'],
  ['docker-registry', 'docker-registry', 'keeps loaded images'],
];

const cniPlugins = ['loopback', 'ptp', 'host-local', 'portmap'];
const cniDirectories = ['/usr/lib/cni', '/opt/cni/bin'];

export async function requirements(): Promise<Requirement[]> {
  const found = await Promise.all(programs.map(checkProgram));
  return [
    checkLinux(),
    checkRoot(),
    ...found,
    await checkCni(),
    await checkKernel('overlay', 'container images need the overlay file system'),
  ];
}

function checkLinux(): Requirement {
  const ok = process.platform === 'linux';
  return { name: 'linux', ok, detail: process.platform, fix: 'real nodes need Linux; use --runtime simulated here' };
}

function checkRoot(): Requirement {
  const ok = process.getuid?.() === 0;
  return {
    name: 'root',
    ok,
    detail: ok ? 'uid 0' : `uid ${process.getuid?.()}`,
    fix: 'run keks as root (sudo), or use --runtime simulated',
  };
}

async function checkProgram([program, debianPackage, why]: (typeof programs)[number]): Promise<Requirement> {
  const path = await findProgram(program);
  return {
    name: program,
    ok: path !== undefined,
    detail: path ?? `not found; it ${why}`,
    fix: `apt-get install ${debianPackage}`,
    debianPackage,
  };
}

/** On the PATH, or where Debian keeps what administrators run. */
async function findProgram(program: string): Promise<string | undefined> {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  for (const directory of directories) {
    const path = join(directory, program);
    if (await isThere(path, constants.X_OK)) return path;
  }
  return undefined;
}

async function checkCni(): Promise<Requirement> {
  const name = 'cni plugins';
  const fix = 'apt-get install containernetworking-plugins';
  const debianPackage = 'containernetworking-plugins';
  for (const directory of cniDirectories) {
    const there = await Promise.all(cniPlugins.map((plugin) => isThere(join(directory, plugin), constants.X_OK)));
    if (there.every(Boolean)) return { name, ok: true, detail: directory, fix, debianPackage };
  }
  return { name, ok: false, detail: `${cniPlugins.join(', ')} not found in ${cniDirectories.join(' or ')}`, fix, debianPackage };
}

async function checkKernel(filesystem: string, why: string): Promise<Requirement> {
  const known = await readFile('/proc/filesystems', 'utf8').catch(() => '');
  const ok = known.split(/\s+/).includes(filesystem);
  return { name: `kernel: ${filesystem}`, ok, detail: ok ? 'there' : why, fix: `modprobe ${filesystem}` };
}

function isThere(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
