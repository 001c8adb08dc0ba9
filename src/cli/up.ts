// keks up: a daemon, a cluster with its nodes, a kubeconfig. Whatever is there already stays as it is.
import { systemClock } from '#lib/clock.ts';
import type { ClusterStatus, FleetStatus } from '#fleet/control.ts';
import { withoutCertificate } from '#fleet/control.ts';
import { instanceTypeOf } from '#eks/nodegroups/pods-per-node.ts';
import type { Home } from '#fleet/home.ts';
import { homeOf } from '#fleet/home.ts';
import { adminCredentials } from './credentials.ts';
import { daemonStatus, requireDaemon } from './daemon.ts';
import { defaultPort, defaultRegion } from './defaults.ts';
import type { EksClient } from './eks-client.ts';
import { eksClient } from './eks-client.ts';
import { CommandFailure, usage } from './failure.ts';
import { writeKubeconfig } from './kubeconfig-file.ts';
import type { OutputFormat, Progress } from './output.ts';
import { print, terminalProgress } from './output.ts';
import type { UpFlags, UpSettings } from './settings.ts';
import { upSettings } from './settings.ts';

const nodegroupName = 'nodes';
const account = '123456789012';

export async function up(flags: UpFlags): Promise<void> {
  const settings = upSettings(flags);
  // Before anything is made: a cluster would stay behind without its nodes.
  if (instanceTypeOf(settings.instanceType) === undefined)
    throw usage(`--instance-type ${settings.instanceType}: not an instance type of EC2`);
  const home = homeOf();
  const startedMs = systemClock.monotonicMs();
  const progress = terminalProgress(flags.output, systemClock);
  const running = await daemonStatus(home);
  if (running === undefined) progress.step('starting keks');
  else refuseOtherSettings(running, settings);
  if (flags.foreground) {
    if (running !== undefined)
      throw new CommandFailure(`keks already runs on ${home.directory} (process ${running.pid}); stop it with: keks down`);
    const { runForeground } = await import('./run-daemon.ts');
    await runForeground(home, settings, () => bringUp(home, settings, { progress, startedMs, output: flags.output }));
    return;
  }
  if (running === undefined) {
    const { startDaemon } = await import('./start-daemon.ts');
    await startDaemon(home, settings);
  }
  await bringUp(home, settings, { progress, startedMs, output: flags.output });
}

/** A daemon that runs keeps its port and its kind of nodes: asking for others is a mistake to be told of. */
function refuseOtherSettings(running: FleetStatus, settings: UpSettings): void {
  const { runtime, port, region } = settings;
  const differs = [
    runtime !== 'auto' && runtime !== running.runtime && `--runtime ${running.runtime}`,
    ![0, defaultPort, running.port].includes(port) && `--port ${running.port}`,
    ![defaultRegion, running.region].includes(region) && `--region ${running.region}`,
  ].find((difference) => difference !== false);
  if (differs) throw new CommandFailure(`keks already runs with ${differs}; stop it first with: keks down`);
}

interface Report {
  progress: Progress;
  startedMs: number;
  output: OutputFormat;
}

async function bringUp(home: Home, settings: UpSettings, { progress, startedMs, output }: Report): Promise<void> {
  const { endpoint, region, runtime } = await requireDaemon(home);
  const eks = eksClient({ endpoint, region, credentials: await adminCredentials(home), clock: systemClock });
  progress.step(`cluster ${settings.name}`);
  await ensureCluster(eks, settings.name);
  if (settings.nodes > 0) {
    progress.step(`${settings.nodes} × ${settings.instanceType} (${runtime})`);
    await ensureNodes(eks, settings);
  }
  const status = await requireDaemon(home);
  const cluster = status.clusters.find(({ name }) => name === settings.name)!;
  await writeKubeconfig(cluster, home);
  progress.done();
  const seconds = (systemClock.monotonicMs() - startedMs) / 1000;
  print(
    output,
    { endpoint, region, runtime, kubeconfig: home.kubeconfig, seconds: Number(seconds.toFixed(3)), cluster: withoutCertificate(cluster) },
    () => nextSteps(home, { endpoint, runtime, seconds, cluster }),
  );
}

async function ensureCluster(eks: EksClient, name: string): Promise<void> {
  if ((await eks.describeCluster(name)) === undefined) {
    await eks.createCluster({
      name,
      roleArn: `arn:aws:iam::${account}:role/keks-cluster`,
      resourcesVpcConfig: { subnetIds: ['subnet-0a', 'subnet-0b'] },
      accessConfig: { authenticationMode: 'API_AND_CONFIG_MAP' },
    });
  }
  // Describe waits for work under way; it answers earlier only if that takes very long.
  for (;;) {
    const { cluster } = (await eks.describeCluster(name)) ?? {};
    if (cluster?.status === 'ACTIVE' && (cluster.health?.issues ?? []).length === 0) return;
    if (cluster?.status !== 'CREATING') {
      const why = cluster?.health?.issues?.[0]?.message ?? cluster?.status ?? 'it was deleted';
      throw new CommandFailure(`cluster ${name} did not come up: ${why}; see keks logs daemon`);
    }
  }
}

async function ensureNodes(eks: EksClient, { name, nodes, instanceType }: UpSettings): Promise<void> {
  if ((await eks.describeNodegroup(name, nodegroupName)) === undefined) {
    await eks.createNodegroup({
      clusterName: name,
      nodegroupName,
      nodeRole: `arn:aws:iam::${account}:role/keks-node`,
      subnets: ['subnet-0a', 'subnet-0b'],
      instanceTypes: [instanceType],
      scalingConfig: { minSize: 0, maxSize: Math.max(10, nodes), desiredSize: nodes },
    });
  }
  for (;;) {
    const { nodegroup } = (await eks.describeNodegroup(name, nodegroupName)) ?? {};
    if (nodegroup?.status === 'ACTIVE') return;
    if (nodegroup?.status !== 'CREATING' && nodegroup?.status !== 'UPDATING') {
      const why = nodegroup?.health?.issues?.[0]?.message ?? nodegroup?.status ?? 'the node group was deleted';
      throw new CommandFailure(`the nodes of ${name} did not come up: ${why}; see keks logs daemon`);
    }
  }
}

interface Outcome {
  endpoint: string;
  runtime: string;
  seconds: number;
  cluster: ClusterStatus;
}

function nextSteps(home: Home, { endpoint, runtime, seconds, cluster }: Outcome): string {
  const ready = cluster.nodes.filter((node) => node.ready).length;
  return [
    `Cluster ${cluster.name} is ACTIVE with ${ready} Ready ${runtime} node${ready === 1 ? '' : 's'} after ${seconds.toFixed(2)} s.`,
    `  EKS endpoint  ${endpoint}`,
    `  Kubernetes    ${cluster.endpoint}`,
    `  kubeconfig    ${home.kubeconfig}`,
    '',
    'Next:',
    '  eval "$(keks env)"               # aws and kubectl in this shell',
    '  kubectl run nginx --image=nginx',
    '  kubectl get pods -o wide -w',
  ].join('\n');
}
