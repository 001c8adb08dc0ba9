// The machines of a home: each a real node's host on this one computer — a network namespace with an address in the cluster's VPC
// subnet, and a containerd of its own that outlives us. Everything here is idempotent: what exists is adopted, what is missing is made.
import { access, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import { formatAddress, formatCidr, parseCidr } from '../ipam/cidr.ts';
import { createAddressPool } from '../ipam/address-pool.ts';
import type { SubnetPlan } from '../ipam/subnet-plan.ts';
import { chooseSubnet, freePodBlocks, planSubnet, podBlocksFor, podRange } from '../ipam/subnet-plan.ts';
import { readResolvers } from '../dns/upstream.ts';
import { streamingPort } from './containerd-config.ts';
import type { Exposure } from './firewall.ts';
import { hostRuleset, machineRuleset } from './firewall.ts';
import { allowWayOut, closeWayOut, ensureFabric, ensureMachineLink, loadRuleset, routedBlocks, subnetIsFree } from './links.ts';
import { containerdRuns, ensureContainerd, importPauseImage, socketOf } from './machine-containerd.ts';
import type { ClusterRecord, MachineRecord } from './machine-files.ts';
import { readClusters, readMachines, removeDirectory, writeCluster, writeMachine } from './machine-files.ts';
import { clusterNames, homeNames, machineNames, namespacePath, shortHash } from './names.ts';
import { removeClusterTraces, removeMachineTraces, stopHomeTraces } from './removal.ts';

/** The address under which every machine reaches the home's image registry; it never leaves the host. */
export const registryAddress = { address: '169.254.170.200', port: 5000 };

export interface Subnet {
  cluster: string;
  plan: SubnetPlan;
  cidr: string;
  /** The host's address in the subnet: where the daemon serves machines and pods. */
  gateway: string;
  /** The host's network device in the subnet. */
  link: string;
}

export interface Machine {
  id: string;
  cluster: string;
  /** The node's internal address. */
  address: string;
  /** The first and last address that its pods get. */
  podRange: { first: string; last: string };
  /** containerd's socket, for CRI. */
  socket: string;
  /** Its network namespace, by name. */
  namespaceName: string;
  /** The cgroup that the node's pods' cgroups belong below. */
  cgroup: string;
  gateway: string;
}

interface SubnetPorts {
  /** The home's image registry on the loopback, offered to machines (not to pods) at `registryAddress`. */
  registryPort?: number;
  /** Ports of the loopback that machines and pods reach at the gateway's address: the API server. */
  gatewayPorts?: { port: number; loopbackPort: number }[];
  /** Where the daemon's DNS server listens at the gateway's address: for machines whose resolver is on the host's loopback. */
  dnsPort?: number;
}

export interface Machines {
  /** The cluster's subnet, chosen at first use and kept; brings its network up. `ports` says what the host offers in it. */
  ensureSubnet(cluster: string, ports: SubnetPorts): Promise<Subnet>;
  /** Makes or adopts the machine `id` (lower-case letters, digits, dots, dashes). */
  ensure(options: { cluster: string; id: string; maxPods: number }): Promise<Machine>;
  /** Whether the machine's containerd lives; if not, `ensure` starts it again and finds its containers as they were. */
  runs(options: { cluster: string; id: string }): Promise<boolean>;
  /** Ids of machines that were made and not removed, running or not. */
  list(cluster: string): Promise<string[]>;
  /** Ends its containers and removes all of it. Idempotent, also after a kill in the middle. */
  remove(options: { cluster: string; id: string }): Promise<void>;
  /** Removes the cluster's machines and its subnet. */
  removeCluster(cluster: string): Promise<void>;
  /** Makes nothing any more; resolves when what was under way has ended. What runs goes on. */
  close(): Promise<void>;
}

interface Context {
  home: string;
  clock: Clock;
  log: Log;
  /** Where each cluster's DNS server listens, as far as told. */
  dnsPorts: Map<string, number>;
  /** One change at a time: addresses are taken by writing the record. */
  serially: <T>(work: () => Promise<T>) => Promise<T>;
}

export async function createMachines(options: { home: string; clock: Clock; log: Log }): Promise<Machines> {
  await mkdir(options.home, { recursive: true, mode: 0o700 });
  const serially = createLane();
  const lanes = new Map<string, Lane>();
  let closed = false;
  const unlessClosed = <T>(work: () => Promise<T>): Promise<T> => (closed ? Promise.reject(new Error('keks is stopping')) : work());
  /** Making and removing one machine never overlap; different machines do. */
  const oneByOne = <T>(cluster: string, id: string, work: () => Promise<T>): Promise<T> => {
    const key = `${cluster}/${id}`;
    const lane = lanes.get(key) ?? createLane();
    lanes.set(key, lane);
    return lane(work);
  };
  const context: Context = {
    ...options,
    dnsPorts: new Map(),
    home: await realpath(options.home),
    serially,
  };
  const { home } = context;
  const remove: Machines['remove'] = ({ cluster, id }) =>
    oneByOne(cluster, id, () => removeMachineTraces(home, cluster, id, context.clock));
  return {
    ensureSubnet: (cluster, ports) => context.serially(() => unlessClosed(() => ensureSubnet(context, cluster, ports))),
    ensure: (machine) => oneByOne(machine.cluster, machine.id, () => unlessClosed(() => ensureMachine(context, machine))),
    runs: ({ cluster, id }) => containerdRuns(home, cluster, id),
    list: async (cluster) => (await readMachines(home, cluster)).map((record) => record.id),
    remove,
    async removeCluster(cluster) {
      for (const { id } of await readMachines(home, cluster)) await remove({ cluster, id });
      await context.serially(() => removeClusterTraces(home, cluster));
    },
    async close() {
      closed = true;
      const idle = async () => undefined;
      await Promise.all([...lanes.values(), serially].map((lane) => lane(idle)));
    },
  };
}

type Lane = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs what it is given one after the other. */
function createLane(): Lane {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = tail.then(work);
    tail = result.catch(() => undefined);
    return result;
  };
}

/** The sockets of those machines of a home whose containerd lives. */
export async function runningSockets(home: string): Promise<string[]> {
  const root = await realpath(home).catch(() => home);
  const sockets: string[] = [];
  for (const { cluster } of await readClusters(root)) {
    const inCluster = clusterNames(homeNames(root), cluster);
    for (const { id } of await readMachines(root, cluster)) {
      if (await containerdRuns(root, cluster, id)) sockets.push(socketOf(machineNames(homeNames(root), inCluster, id)));
    }
  }
  return sockets;
}

/**
 * Switches all machines of a home off: no process, container, namespace, link, mount, table or cgroup stays. Works from what is found, not
 * only from what is remembered. Its files stay: addresses, images and what containerd knows of containers, for the next `ensure`.
 */
export async function stopEverything(options: { home: string; clock: Clock }): Promise<void> {
  const home = await realpath(options.home).catch(() => options.home);
  const others = await stopHomeTraces(home, options.clock);
  if (!others) await closeWayOut();
}

/** The same, and the machines' files go, too. */
export async function removeEverything(options: { home: string; clock: Clock }): Promise<void> {
  await stopEverything(options);
  await removeDirectory(join(options.home, 'machines'));
}

async function ensureSubnet(context: Context, cluster: string, ports: SubnetPorts): Promise<Subnet> {
  const { home, log } = context;
  const record = await subnetRecord(context, cluster);
  const plan = planSubnet(parseCidr(record.subnet));
  const names = clusterNames(homeNames(home), cluster);
  if (ports.dnsPort !== undefined) context.dnsPorts.set(cluster, ports.dnsPort);
  if (!(await subnetIsFree(names, plan))) {
    throw new Error(`the subnet ${record.subnet} of cluster ${cluster} is in use by another network of this machine`);
  }
  await ensureFabric(names, plan);
  await loadRuleset(
    undefined,
    hostRuleset({ table: names.table, link: names.link, subnet: record.subnet, exposures: exposuresOf(plan, ports) }),
  );
  await allowWayOut(names);
  log.info({ cluster, subnet: record.subnet, link: names.link }, 'subnet ready');
  return { cluster, plan, cidr: record.subnet, gateway: plan.gateway, link: names.link };
}

async function subnetRecord(context: Context, cluster: string): Promise<ClusterRecord> {
  const known = await readClusters(context.home);
  const found = known.find((record) => record.cluster === cluster);
  if (found !== undefined) return found;
  const taken = [...known.map((record) => record.subnet), ...(await routedBlocks())];
  const seed = Number.parseInt(shortHash(`${context.home}\0${cluster}`, 8), 16);
  const record = { cluster, subnet: formatCidr(chooseSubnet(seed, taken)) };
  await writeCluster(context.home, record);
  return record;
}

function exposuresOf(plan: SubnetPlan, ports: SubnetPorts): Exposure[] {
  const nodes = `${formatAddress(plan.nodes.first)}-${formatAddress(plan.nodes.last)}`;
  const registry = ports.registryPort === undefined ? [] : [{ ...registryAddress, loopbackPort: ports.registryPort, from: nodes }];
  const gateway = (ports.gatewayPorts ?? []).map((ports) => ({ ...ports, address: plan.gateway, from: formatCidr(plan.cidr) }));
  return [...registry, ...gateway];
}

async function ensureMachine(context: Context, wanted: { cluster: string; id: string; maxPods: number }): Promise<Machine> {
  const { home, clock, log } = context;
  if (!/^[a-z0-9][a-z0-9.-]{0,62}$/.test(wanted.id)) throw new Error(`not a machine's id: ${JSON.stringify(wanted.id)}`);
  const cluster = clusterNames(homeNames(home), wanted.cluster);
  const names = machineNames(homeNames(home), cluster, wanted.id);
  const { record, plan } = await context.serially(() => machineRecord(context, wanted));
  await mkdir(names.runDirectory, { recursive: true, mode: 0o711 });
  await ensureMachineLink({ cluster, machine: names, plan, address: record.address });
  await loadRuleset(
    names.namespace,
    machineRuleset({ gateway: plan.gateway, streamingPort, ...(await resolverOnLoopback(context, wanted.cluster)) }),
  );
  const paths = await ensureContainerd({ home, record, names, plan, clock });
  if (!record.pauseImported) {
    await importPauseImage(paths);
    await writeMachine(home, { ...record, pauseImported: true });
  }
  log.info({ cluster: wanted.cluster, machine: wanted.id, address: record.address }, 'machine ready');
  const range = podRange(plan, record.block, record.blockCount);
  return {
    id: record.id,
    cluster: record.cluster,
    address: record.address,
    podRange: { first: formatAddress(range.first), last: formatAddress(range.last) },
    socket: paths.socket,
    namespaceName: names.namespace,
    cgroup: names.cgroup,
    gateway: plan.gateway,
  };
}

/** The machine's addresses: those it has, or new ones, written down before they are used. */
async function machineRecord(
  context: Context,
  wanted: { cluster: string; id: string; maxPods: number },
): Promise<{ record: MachineRecord; plan: SubnetPlan }> {
  const { home } = context;
  const subnet = (await readClusters(home)).find((record) => record.cluster === wanted.cluster);
  if (subnet === undefined || !(await exists(namespacePath(clusterNames(homeNames(home), wanted.cluster).fabric)))) {
    throw new Error(`the subnet of cluster ${wanted.cluster} is not up`);
  }
  const plan = planSubnet(parseCidr(subnet.subnet));
  const known = await readMachines(home, wanted.cluster);
  const found = known.find((record) => record.id === wanted.id);
  if (found !== undefined) return { record: found, plan };
  const pool = createAddressPool(plan.nodes);
  for (const other of known) pool.reserve(other.address);
  const blockCount = podBlocksFor(wanted.maxPods);
  const block = freePodBlocks(
    plan,
    known.map((other) => ({ block: other.block, count: other.blockCount })),
    blockCount,
  );
  const address = pool.allocate();
  if (address === undefined || block === undefined) {
    throw new Error(`the subnet ${subnet.subnet} of cluster ${wanted.cluster} has no addresses left for another machine`);
  }
  const record: MachineRecord = { id: wanted.id, cluster: wanted.cluster, address, block, blockCount };
  await mkdir(join(home, 'machines', wanted.cluster), { recursive: true, mode: 0o700 });
  await writeMachine(home, record);
  return { record, plan };
}

/** A machine cannot reach a resolver on the host's own loopback: the daemon's DNS server asks it in its place. */
async function resolverOnLoopback(context: Context, cluster: string): Promise<{ loopbackResolver?: { port: number } }> {
  const port = context.dnsPorts.get(cluster);
  const resolvers = await readResolvers();
  return port !== undefined && resolvers.some((address) => address.startsWith('127.')) ? { loopbackResolver: { port } } : {};
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
