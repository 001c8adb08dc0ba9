// kubeconfig entries for keks' clusters: kubectl gets its token from `keks token`, so that it needs no AWS CLI.
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { KubeconfigEntry } from '#client/kubeconfig.ts';
import { putKubeconfigEntry } from '#client/kubeconfig.ts';
import type { ClusterStatus } from '#fleet/control.ts';
import type { Home } from '#fleet/home.ts';

/** The program to be found again by kubectl, from whichever folder it is called. */
const program = fileURLToPath(new URL('../../bin/keks', import.meta.url));

/** A kubeconfig of its own for one cluster. */
export function kubeconfigOf(cluster: ClusterStatus, home: Home): object {
  const entry = entryOf(cluster, home);
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: entry.clusterName, cluster: entry.cluster }],
    users: [{ name: entry.userName, user: entry.user }],
    contexts: [{ name: entry.context, context: { cluster: entry.clusterName, user: entry.userName } }],
    'current-context': entry.context,
  };
}

export function kubeconfigText(config: object): string {
  return stringify(config, { lineWidth: 0 });
}

/** Puts the cluster into the home's kubeconfig beside what others put there, and makes it the current context. */
export async function writeKubeconfig(cluster: ClusterStatus, home: Home): Promise<void> {
  await putKubeconfigEntry(home.kubeconfig, entryOf(cluster, home));
}

function entryOf(cluster: ClusterStatus, home: Home): KubeconfigEntry {
  const { name, endpoint, certificateAuthorityData } = cluster;
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: program,
    args: ['token', '--cluster-name', name],
    env: [{ name: 'KEKS_HOME', value: home.directory }],
    interactiveMode: 'Never',
  };
  return {
    context: name,
    clusterName: name,
    cluster: { server: endpoint, 'certificate-authority-data': certificateAuthorityData },
    userName: name,
    user: { exec },
  };
}
