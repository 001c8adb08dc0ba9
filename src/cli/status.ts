// keks status: the daemon, its clusters and their nodes.
import { homeOf } from '#fleet/home.ts';
import type { FleetStatus } from '#fleet/control.ts';
import { withoutCertificate } from '#fleet/control.ts';
import { requireDaemon } from './daemon.ts';
import type { OutputFormat } from './output.ts';
import { print, table } from './output.ts';

export async function status({ output }: { output: OutputFormat }): Promise<void> {
  const home = homeOf();
  const fleet = await requireDaemon(home);
  const clusters = fleet.clusters.map(withoutCertificate);
  print(output, { home: home.directory, ...fleet, clusters }, () => describe(home.directory, fleet));
}

function describe(home: string, fleet: FleetStatus): string {
  const head = [
    `keks ${fleet.version} runs (process ${fleet.pid}, ${fleet.runtime} nodes) on ${home}`,
    `EKS endpoint ${fleet.endpoint}, region ${fleet.region}`,
  ];
  if (fleet.clusters.length === 0) return [...head, '', 'No clusters.'].join('\n');
  const clusters = fleet.clusters.map((cluster) => {
    const ready = cluster.nodes.filter((node) => node.ready).length;
    return [cluster.name, cluster.status, cluster.version, `${ready}/${cluster.nodes.length}`, cluster.endpoint ?? ''];
  });
  const nodes = fleet.clusters.flatMap((cluster) =>
    cluster.nodes.map((node) => [
      cluster.name,
      node.name,
      node.ready ? 'Ready' : 'NotReady',
      node.instanceType,
      String(node.allocatablePods),
    ]),
  );
  const issues = fleet.clusters.flatMap((cluster) => cluster.issues.map((issue) => `${cluster.name}: ${issue}`));
  return [
    ...head,
    '',
    table([['CLUSTER', 'STATUS', 'VERSION', 'NODES READY', 'ENDPOINT'], ...clusters]),
    ...(nodes.length > 0 ? ['', table([['CLUSTER', 'NODE', 'STATUS', 'INSTANCE TYPE', 'PODS'], ...nodes])] : []),
    ...(issues.length > 0 ? ['', ...issues] : []),
  ].join('\n');
}
