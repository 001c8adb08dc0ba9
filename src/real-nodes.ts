// Real nodes of a cluster on this computer: machines with a containerd each, kubelets, kube-proxies, and what the host does for them all —
// the subnet, cluster DNS, load balancer addresses, the image registry. Machines and registry outlive this process and are adopted.
import { join } from 'node:path';
import { Registry as Metrics } from 'prom-client';
import { createEventRecorder } from '#client/events.ts';
import type { Informers } from '#client/informer.ts';
import { createInformers } from '#client/informer.ts';
import type { NodeSettings } from '#kubelet/node-object.ts';
import { createContainerdRuntime } from '#kubelet/runtime/containerd/runtime.ts';
import type { ContainerRuntime } from '#kubelet/runtime/runtime.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { dnsPort, publishClusterDns, startClusterDns } from '#network/dns/cluster-dns.ts';
import { readResolvers } from '#network/dns/upstream.ts';
import { startLoadBalancer } from '#network/load-balancer/controller.ts';
import { startLoadBalancerRoutes } from '#network/load-balancer/routes.ts';
import { loadRuleset } from '#network/machine/links.ts';
import type { Machine, Subnet } from '#network/machine/machines.ts';
import type { Proxy } from '#network/proxy/proxy.ts';
import { startProxy } from '#network/proxy/proxy.ts';
import type { Cluster } from './cluster.ts';
import type { NodeHome } from './node-home.ts';

/** How often it is looked whether a machine's containerd lives. */
const healMs = 2000;
/** A containerd with thousands of containers takes seconds to look through them. */
const initializationMs = 60_000;

export interface RealNodesOptions {
  cluster: Cluster;
  /** The cluster's name within the home. */
  name: string;
  nodeHome: NodeHome;
  clock: Clock;
  random: Random;
  logOf(component: string): Log;
  serviceCidr: string;
  /** The cluster DNS' service address. */
  clusterDns: string;
  /** Ports of the loopback that pods reach at the gateway's address: the API server. */
  gatewayPorts?: { port: number; loopbackPort: number }[];
}

export interface RealNodes {
  readonly subnet: Subnet;
  /** Makes or adopts the machine `id` and starts its kubelet and proxy; the settings may depend on the address it got. */
  add(options: { id: string; maxPods: number; settings: (machine: Machine) => NodeSettings }): Promise<Machine>;
  /** Stops the node, deletes its Node object and removes its machine with all that runs there. */
  remove(options: { id: string; nodeName: string }): Promise<void>;
  /** The Prometheus text of a node's kube-proxy. */
  proxyMetrics(nodeName: string): Promise<string>;
  /** Stops following the cluster; machines and containers keep running. */
  stop(): Promise<void>;
}

interface RunningNode {
  id: string;
  maxPods: number;
  proxy: Proxy;
  runtime: ContainerRuntime;
  metrics: Metrics;
}

export async function startRealNodes(options: RealNodesOptions): Promise<RealNodes> {
  const { cluster, name, nodeHome, clock } = options;
  const { machines } = nodeHome;
  const log = options.logOf('network');
  const host = await startHostSide(options);
  const { subnet, informers } = host;
  const running = new Map<string, RunningNode>();

  let healing = false;
  const heal = async (): Promise<void> => {
    if (healing) return;
    healing = true;
    try {
      for (const [nodeName, { id, maxPods }] of running) {
        // It may have been removed while another was looked at.
        if ((await machines.runs({ cluster: name, id })) || !running.has(nodeName)) continue;
        log.warn({ machine: id }, 'containerd ended, starting it again');
        await machines.ensure({ cluster: name, id, maxPods });
      }
    } catch (error) {
      log.error({ error: (error as Error).message }, 'containerd not started');
    } finally {
      healing = false;
    }
  };
  const healer = clock.every(healMs, () => void heal());

  const stopNode = async (nodeName: string): Promise<void> => {
    const node = running.get(nodeName);
    running.delete(nodeName);
    node?.proxy.stop();
    await node?.runtime.close();
  };
  return {
    subnet,
    async add({ id, maxPods, settings }) {
      const machine = await machines.ensure({ cluster: name, id, maxPods });
      const node = settings(machine);
      const metrics = new Metrics();
      const proxy = startProxy({
        informers,
        nodeName: node.name,
        nodeAddress: machine.address,
        podRange: machine.podRange,
        serviceCidr: options.serviceCidr,
        loadRuleset: (script) => loadRuleset(machine.namespaceName, script),
        clock,
        log: options.logOf('proxy'),
        metrics,
      });
      const runtime = createContainerdRuntime({ socket: machine.socket, cgroupRoot: machine.cgroup, clock, log: options.logOf('kubelet') });
      await untilInitialized(runtime, clock);
      running.set(node.name, { id, maxPods, proxy, runtime, metrics });
      const directory = join(nodeHome.home, 'machines', name, id);
      await cluster.addNode({
        node,
        runtime,
        directories: { pods: join(directory, 'pods'), logs: join(directory, 'logs') },
        clusterDns: [options.clusterDns],
        hostDns: { servers: await readResolvers(), searches: [], options: [] },
      });
      return machine;
    },
    async remove({ id, nodeName }) {
      await cluster.removeNode(nodeName, { forget: true });
      await stopNode(nodeName);
      await machines.remove({ cluster: name, id });
    },
    proxyMetrics: async (nodeName) => (await running.get(nodeName)?.metrics.metrics()) ?? '',
    async stop() {
      healer.cancel();
      for (const nodeName of [...running.keys()]) await stopNode(nodeName);
      await host.close();
    },
  };
}

/** containerd opens its socket before it has looked through the containers that it knows. */
async function untilInitialized(runtime: ContainerRuntime, clock: Clock): Promise<void> {
  const deadlineMs = clock.monotonicMs() + initializationMs;
  for (;;) {
    try {
      await runtime.info();
      return;
    } catch (error) {
      if (!/not initialized yet/.test((error as Error).message) || clock.monotonicMs() > deadlineMs) throw error;
    }
    await clock.sleep(20);
  }
}

interface HostSide {
  subnet: Subnet;
  informers: Informers;
  close(): Promise<void>;
}

/** What this computer does for all of a cluster's nodes. Leaves nothing open when it fails. */
async function startHostSide(options: RealNodesOptions): Promise<HostSide> {
  const { cluster, name, nodeHome, clock, random } = options;
  const ports = { registryPort: nodeHome.registry.port, dnsPort, ...(options.gatewayPorts && { gatewayPorts: options.gatewayPorts }) };
  const subnet = await nodeHome.machines.ensureSubnet(name, ports);
  const log = options.logOf('network');
  const opened: (() => void | Promise<void>)[] = [];
  const close = async () => {
    for (const closeOne of opened.reverse()) await closeOne();
  };
  try {
    const informers = createInformers(cluster.admin, { clock, random, log });
    opened.push(() => informers.stop());
    informers.start();
    const dns = await startClusterDns({ informers, address: subnet.gateway, clock, random, log: options.logOf('dns') });
    opened.push(() => dns.close());
    await publishClusterDns(cluster.admin, { clusterIP: options.clusterDns, address: dns.address, port: dns.port });
    const events = createEventRecorder({ client: cluster.admin, clock, log, component: 'service-controller' });
    opened.push(() => events.stop());
    opened.push(startLoadBalancer({ client: cluster.admin, informers, events, clock, log, range: subnet.plan.loadBalancers }));
    opened.push(startLoadBalancerRoutes({ informers, clock, log, subnet: subnet.plan.cidr, link: subnet.link }));
    return { subnet, informers, close };
  } catch (error) {
    await close();
    throw error;
  }
}
