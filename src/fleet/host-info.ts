// What a real node says of the system that it runs on: this computer's.
import { readFile } from 'node:fs/promises';
import { arch, release } from 'node:os';
import type { NodeSettings } from '#kubelet/node-object.ts';

export async function hostInfo(): Promise<NonNullable<NodeSettings['info']>> {
  const [system, machineID, bootID] = await Promise.all([
    firstOf('/etc/os-release', /^PRETTY_NAME="?([^"\n]*)"?$/m),
    firstOf('/etc/machine-id', /^(\S+)/),
    firstOf('/proc/sys/kernel/random/boot_id', /^(\S+)/),
  ]);
  const architecture = arch() === 'x64' ? 'amd64' : arch();
  return { osImage: system, machineID, bootID, systemUUID: machineID, kernelVersion: release(), operatingSystem: 'linux', architecture };
}

async function firstOf(file: string, pattern: RegExp): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return pattern.exec(text)?.[1] ?? '';
}
