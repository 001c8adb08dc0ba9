// The cables and switches of a cluster's subnet: a bridge in a namespace of its own (so that the host's firewall and other bridge
// users, Docker above all, never see traffic between machines), one cable to the host, one to each machine.
import { access, readFile, writeFile } from 'node:fs/promises';
import { run, tryRun } from '#lib/command.ts';
import type { SubnetPlan } from '../ipam/subnet-plan.ts';
import { formatCidr } from '../ipam/cidr.ts';
import type { ClusterNames, MachineNames } from './names.ts';
import { macOf, namespacePath } from './names.ts';

const bridge = 'vpc0';

/** Makes what is missing of the subnet's switch and the host's cable. */
export async function ensureFabric(names: ClusterNames, plan: SubnetPlan): Promise<void> {
  if (!(await exists(namespacePath(names.fabric)))) await run('ip', ['netns', 'add', names.fabric]);
  if (!(await hasLink(names.fabric, bridge))) {
    await ipBatch(names.fabric, ['link set lo up', `link add ${bridge} type bridge`, `link set ${bridge} up`]);
  }
  if (!(await hasLink(undefined, names.link))) {
    await ipBatch(undefined, [
      `link add ${names.link} address ${macOf(plan.gateway)} type veth peer name host0 netns ${names.fabric}`,
      `address add ${plan.gateway}/${plan.cidr.prefix} dev ${names.link}`,
    ]);
  }
  await ipBatch(names.fabric, [`link set host0 master ${bridge} up`]);
  await ipBatch(undefined, [`link set ${names.link} up`]);
  await writeFile(`/proc/sys/net/ipv4/conf/${names.link}/route_localnet`, '1');
}

/** Lets machines and pods reach the world through the host: forwarding on two links only, never for the whole machine. */
export async function allowWayOut(names: ClusterNames): Promise<void> {
  const links = [names.link, ...(await defaultRouteLinks())];
  for (const link of links) await writeFile(forwarding(link), '1');
}

/** Puts the host's outer links back, unless somebody has made the machine a router since. */
export async function closeWayOut(): Promise<void> {
  if ((await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).trim() === '1') return;
  for (const link of await defaultRouteLinks()) await writeFile(forwarding(link), '0');
}

const forwarding = (link: string): string => `/proc/sys/net/ipv4/conf/${link}/forwarding`;

async function defaultRouteLinks(): Promise<string[]> {
  const routes = JSON.parse((await run('ip', ['-j', '-4', 'route', 'show', 'default'])) || '[]') as { dev?: string }[];
  return [...new Set(routes.flatMap((route) => (route.dev === undefined ? [] : [route.dev])))];
}

/** A machine's namespace with its `eth0` in the subnet. */
export async function ensureMachineLink(options: {
  cluster: ClusterNames;
  machine: MachineNames;
  plan: SubnetPlan;
  address: string;
}): Promise<void> {
  const { cluster, machine, plan, address } = options;
  if (!(await exists(namespacePath(machine.namespace)))) await run('ip', ['netns', 'add', machine.namespace]);
  if (!(await hasLink(machine.namespace, 'eth0'))) {
    const peer = `type veth peer name ${machine.port} netns ${cluster.fabric}`;
    await ipBatch(machine.namespace, ['link set lo up', `link add eth0 address ${macOf(address)} ${peer}`]);
  }
  await ipBatch(cluster.fabric, [`link set ${machine.port} master ${bridge} up`]);
  await ipBatch(machine.namespace, [
    `address replace ${address}/${plan.cidr.prefix} dev eth0`,
    'link set eth0 up',
    `route replace default via ${plan.gateway}`,
  ]);
  await setInside(machine.namespace, '1', [
    'ipv4/ip_forward',
    'ipv4/conf/eth0/proxy_arp',
    'ipv4/conf/eth0/route_localnet',
    'bridge/bridge-nf-call-iptables',
  ]);
  // Answer ARP for pods at once: the kernel would wait up to 0.8 s.
  await setInside(machine.namespace, '0', ['ipv4/neigh/eth0/proxy_delay']);
}

/** Sets network parameters of a namespace; those this kernel lacks are left out. */
async function setInside(namespace: string, value: string, names: string[]): Promise<void> {
  const files: string[] = [];
  for (const name of names) if (name.startsWith('ipv4/') || (await exists(`/proc/sys/net/${name}`))) files.push(`/proc/sys/net/${name}`);
  await run('nsenter', [`--net=${namespacePath(namespace)}`, 'tee', ...files], { input: value });
}

/** Loads an nftables script in a namespace, or the host's own. */
export async function loadRuleset(namespace: string | undefined, script: string): Promise<void> {
  if (namespace === undefined) await run('nft', ['-f', '-'], { input: script });
  else await run('nsenter', [`--net=${namespacePath(namespace)}`, 'nft', '-f', '-'], { input: script });
}

/** IPv4 destinations that the machine's own routing knows, without the default route. */
export async function routedBlocks(): Promise<string[]> {
  const routes = JSON.parse(await run('ip', ['-j', '-4', 'route', 'show', 'table', 'all'])) as { dst: string }[];
  return routes
    .map(({ dst }) => dst)
    .filter((dst) => dst !== 'default' && !dst.startsWith('127.'))
    .map((dst) => (dst.includes('/') ? dst : `${dst}/32`));
}

/** Whether all that is routed within this subnet goes over the link that is ours. */
export async function subnetIsFree(names: ClusterNames, plan: SubnetPlan): Promise<boolean> {
  const text = await run('ip', ['-j', '-4', 'route', 'show', 'root', formatCidr(plan.cidr)]);
  const routes = JSON.parse(text || '[]') as { dev?: string; nexthops?: { dev?: string }[] }[];
  return routes.every(({ dev, nexthops }) => (nexthops?.map((hop) => hop.dev) ?? [dev]).every((device) => device === names.link));
}

async function hasLink(namespace: string | undefined, link: string): Promise<boolean> {
  const inside = namespace === undefined ? [] : ['-n', namespace];
  return (await tryRun('ip', [...inside, 'link', 'show', link])).code === 0;
}

async function ipBatch(namespace: string | undefined, lines: string[]): Promise<void> {
  const inside = namespace === undefined ? [] : ['-n', namespace];
  await run('ip', [...inside, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
