// Real nodes of a cluster on this computer: machines with a containerd each, kubelets, kube-proxies, and what the host does for them all —
// the subnet, cluster DNS, load balancer addresses, the image registry. Machines and registry outlive this process and are adopted.
import { join } from 'node:path';
import { Registry as Metrics } from 'prom-client';
import { createEventRecorder } from '#client/events.ts';
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
import type { Machine, Machines, Subnet } from '#network/machine/machines.ts';
import { createMachines, registryAddress } from '#network/machine/machines.ts';
import type { Proxy } from '#network/proxy/proxy.ts';
import { startProxy } from '#network/proxy/proxy.ts';
import type { Registry } from '#network/registry/registry-server.ts';
import { ensureRegistry } from '#network/registry/registry-server.ts';
import type { Cluster } from './cluster.ts';

/** What all clusters of a home share. */
export interface NodeHome {
  home: string;
  machines: Machines;
  registry: Registry;
}

/** How often it is looked whether a machine's containerd lives. */
const healMs = 2000;
const registryMirror = `http://${registryAddress.address}:${registryAddress.port}`;

export async function openNodeHome(options: { home: string; clock: Clock; log: Log }): Promise<NodeHome> {
  const { home, clock, log } = options;
  return {
    home,
    machines: await createMachines({ home, clock, log }),
    registry: await ensureRegistry({ home, clock, mirror: registryMirror }),
  };
}

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
  const { cluster, name, nodeHome, clock, random } = options;
  const { machines, registry } = nodeHome;
  const ports = { registryPort: registry.port, dnsPort, ...(options.gatewayPorts && { gatewayPorts: options.gatewayPorts }) };
  const subnet = await machines.ensureSubnet(name, ports);
  const log = options.logOf('network');
  const informers = createInformers(cluster.admin, { clock, random, log });
  informers.start();
  const dns = await startClusterDns({ informers, address: subnet.gateway, clock, random, log: options.logOf('dns') });
  await publishClusterDns(cluster.admin, { clusterIP: options.clusterDns, address: dns.address, port: dns.port });
  const events = createEventRecorder({ client: cluster.admin, clock, log, component: 'service-controller' });
  const stops = [
    startLoadBalancer({ client: cluster.admin, informers, events, clock, log, range: subnet.plan.loadBalancers }),
    startLoadBalancerRoutes({ informers, clock, log, subnet: subnet.plan.cidr, link: subnet.link }),
  ];
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
      for (const stop of stops) stop();
      for (const nodeName of [...running.keys()]) await stopNode(nodeName);
      events.stop();
      informers.stop();
      await dns.close();
    },
  };
}
