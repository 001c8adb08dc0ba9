// kubeconfig entries for keks' clusters: kubectl gets its token from `keks token`, so that it needs no AWS CLI.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { writeDurably } from '#lib/durable-file.ts';
import type { ClusterStatus } from '#fleet/control.ts';
import type { Home } from '#fleet/home.ts';

interface Named {
  name: string;
}

export interface Kubeconfig {
  apiVersion: 'v1';
  kind: 'Config';
  clusters: (Named & { cluster: object })[];
  users: (Named & { user: object })[];
  contexts: (Named & { context: object })[];
  'current-context': string;
}

/** The program to be found again by kubectl, from whichever folder it is called. */
const program = fileURLToPath(new URL('../../bin/keks', import.meta.url));

export function kubeconfigOf(cluster: ClusterStatus, home: Home): Kubeconfig {
  const { name } = cluster;
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: program,
    args: ['token', '--cluster-name', name],
    env: [{ name: 'KEKS_HOME', value: home.directory }],
    interactiveMode: 'Never',
  };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: cluster.endpoint, 'certificate-authority-data': cluster.certificateAuthorityData } }],
    users: [{ name, user: { exec } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
}

export function kubeconfigText(config: Kubeconfig): string {
  return stringify(config, { lineWidth: 0 });
}

/** Puts the cluster into the home's kubeconfig beside what others put there, and makes it the current context. */
export async function writeKubeconfig(cluster: ClusterStatus, home: Home): Promise<void> {
  const fresh = kubeconfigOf(cluster, home);
  const text = await readFile(home.kubeconfig, 'utf8').catch(() => '');
  const present = (text === '' ? {} : parse(text)) as Partial<Kubeconfig>;
  const merged = {
    ...present,
    ...fresh,
    clusters: [...others(present.clusters, cluster.name), ...fresh.clusters],
    users: [...others(present.users, cluster.name), ...fresh.users],
    contexts: [...others(present.contexts, cluster.name), ...fresh.contexts],
  };
  const written = kubeconfigText(merged);
  if (written !== text) await writeDurably(home.kubeconfig, written);
}

function others<T extends Named>(entries: T[] | undefined, name: string): T[] {
  return (entries ?? []).filter((entry) => entry.name !== name);
}
