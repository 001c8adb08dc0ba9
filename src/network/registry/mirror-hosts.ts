// The hosts.toml files that make containerd ask the home's registry before the image's own: one directory per registry host,
// read anew at every pull.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Hosts that are known from the start; another one is added when an image of it is loaded. */
const knownHosts = ['docker.io', 'registry.k8s.io', 'quay.io', 'ghcr.io', 'gcr.io', 'public.ecr.aws', 'mcr.microsoft.com'];

/** `mirror` is the registry's URL as the machines reach it. Pushed names such as `localhost:PORT/app` work in pods, too. */
export async function writeMirrorHosts(directory: string, mirror: string, registryPort: number): Promise<void> {
  for (const host of knownHosts) await addMirrorHost(directory, mirror, host);
  for (const host of ['localhost', '127.0.0.1']) await write(directory, `${host}:${registryPort}`, hostsToml(mirror));
}

export async function addMirrorHost(directory: string, mirror: string, host: string): Promise<void> {
  const path = `${mirror}/v2/${host.replace(':', '_').toLowerCase()}`;
  await write(directory, host, host === 'docker.io' ? hostsToml(mirror) : hostsToml(path, true));
}

function hostsToml(url: string, overridePath = false): string {
  return `[host.${JSON.stringify(url)}]\n  capabilities = ["pull", "resolve"]\n${overridePath ? '  override_path = true\n' : ''}`;
}

async function write(directory: string, host: string, content: string): Promise<void> {
  await mkdir(join(directory, host), { recursive: true });
  await writeFile(join(directory, host, 'hosts.toml'), content);
}
