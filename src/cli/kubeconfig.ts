// keks kubeconfig: prints a kubeconfig for one cluster.
import type { ClusterStatus } from '#fleet/control.ts';
import { homeOf } from '#fleet/home.ts';
import { requireDaemon } from './daemon.ts';
import { CommandFailure } from './failure.ts';
import { kubeconfigOf, kubeconfigText } from './kubeconfig-file.ts';
import type { OutputFormat } from './output.ts';
import { print } from './output.ts';

export async function kubeconfig({ name, output }: { name: string; output: OutputFormat }): Promise<void> {
  const home = homeOf();
  const { clusters } = await requireDaemon(home);
  const config = kubeconfigOf(find(clusters, name), home);
  print(output, config, () => kubeconfigText(config).trimEnd());
}

function find(clusters: ClusterStatus[], name: string): ClusterStatus {
  const cluster = clusters.find((candidate) => candidate.name === name);
  if (cluster?.endpoint !== undefined) return cluster;
  const names = clusters.map((candidate) => candidate.name).join(', ') || 'none';
  throw new CommandFailure(`there is no running cluster ${name} (clusters: ${names}); make it with: keks up --name ${name}`);
}
