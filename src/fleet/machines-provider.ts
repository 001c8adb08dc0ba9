// Real nodes on this computer: each a machine of its own (network namespace, containerd, kube-proxy) in its cluster's VPC subnet.
// Machines outlive the daemon; the next one adopts them with all that runs there.
import { join } from 'node:path';
import { Registry as Metrics } from 'prom-client';
import { createEventRecorder } from '#client/events.ts';
import type { Informers } from '#client/informer.ts';
import { createInformers } from '#client/informer.ts';
import { endpointslices, namespaces, nodes, services } from '#api/generated/resources.ts';
import { createContainerdRuntime } from '#kubelet/runtime/containerd/runtime.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { publishClusterDns, startClusterDns } from '#network/dns/cluster-dns.ts';
import { formatAddress, parseCidr } from '#network/ipam/cidr.ts';
import { startLoadBalancer } from '#network/load-balancer/controller.ts';
import { startLoadBalancerRoutes } from '#network/load-balancer/routes.ts';
import { loadRuleset } from '#network/machine/links.ts';
import type { Machine, Machines, Subnet } from '#network/machine/machines.ts';
import { createMachines, registryAddress } from '#network/machine/machines.ts';
import { startProxy } from '#network/proxy/proxy.ts';
import { loadImage } from '#network/registry/load-image.ts';
import type { Registry } from '#network/registry/registry-server.ts';
import { ensureRegistry } from '#network/registry/registry-server.ts';
import type { ClusterPlace, NodeProvider, StartedCluster } from './node-provider.ts';

export interface MachinesProviderOptions {
  /** KEKS_HOME */
  home: string;
  clock: Clock;
  random: Random;
  log: Log;
}

/** What follows a running cluster's objects, and how to stop it. */
interface Following {
  subnet: Subnet;
  informers: Informers;
  serviceCidr: string;
  dnsAddress: string;
  log: Log;
  metrics: Metrics;
  stops: (() => Promise<void> | void)[];
  nodes: Map<string, () => Promise<void>>;
}

const apiServerPort = 443;

export async function machinesProvider(options: MachinesProviderOptions): Promise<NodeProvider> {
  const { home, clock } = options;
  const mirror = `http://${registryAddress.address}:${registryAddress.port}`;
  const registry = await ensureRegistry({ home, clock, mirror });
  const machines = await createMachines(options);
  const following = new Map<string, Following>();
  const ensure = (cluster: ClusterPlace, id: string, maxPods: number) => machines.ensure({ cluster: networkName(cluster), id, maxPods });
  return {
    kind: 'containerd',
    async prepareCluster(cluster) {
      const subnet = await machines.ensureSubnet(networkName(cluster), { registryPort: registry.port });
      return { addresses: [subnet.gateway], advertiseAddress: subnet.gateway };
    },
    async clusterStarted(cluster, started) {
      following.set(cluster.id, await follow(cluster, started, { machines, registry, ...options }));
    },
    async clusterStopping(cluster) {
      const followed = following.get(cluster.id);
      following.delete(cluster.id);
      for (const stop of [...(followed?.nodes.values() ?? []), ...(followed?.stops ?? [])]) await stop();
    },
    async claimAddresses(cluster, instances) {
      const claimed: Machine[] = [];
      for (const { instanceId, pods } of instances) claimed.push(await ensure(cluster, instanceId, pods));
      return claimed.map((machine) => machine.address);
    },
    async startNode(cluster, node) {
      const followed = following.get(cluster.id)!;
      const machine = await ensure(cluster, node.instanceId, node.capacity.pods);
      const runtime = createContainerdRuntime({ socket: machine.socket, clock, log: followed.log });
      const stopProxy = proxyOf(machine, node.name, followed, clock);
      followed.nodes.set(node.instanceId, async () => {
        stopProxy();
        await runtime.close();
      });
      const directory = join(cluster.directory, 'nodes', node.instanceId);
      return {
        runtime,
        directories: { pods: join(directory, 'pods'), logs: join(directory, 'logs') },
        clusterDns: [followed.dnsAddress],
        hostDns: { servers: [machine.gateway], searches: [], options: [] },
      };
    },
    async removeNode(cluster, { instanceId }) {
      const followed = following.get(cluster.id);
      await followed?.nodes.get(instanceId)?.();
      followed?.nodes.delete(instanceId);
      await machines.remove({ cluster: networkName(cluster), id: instanceId });
    },
    removeCluster: (cluster) => machines.removeCluster(networkName(cluster)),
    async loadImage(file) {
      return (await loadImage({ file, registry })).map((image) => image.name);
    },
    close: async () => {},
  };
}

function networkName(cluster: ClusterPlace): string {
  return cluster.id.toLowerCase();
}

type FollowOptions = MachinesProviderOptions & { machines: Machines; registry: Registry };

/** Opens the API server to the subnet, then serves names and load balancer addresses in it. */
async function follow(place: ClusterPlace, started: StartedCluster, options: FollowOptions): Promise<Following> {
  const { clock, random, machines, registry } = options;
  const { cluster, serviceCidr, port } = started;
  const log = started.logOf('network');
  const informers = createInformers(cluster.admin, { clock, random, log });
  for (const resource of [services, endpointslices, nodes, namespaces]) informers.informer(resource as typeof services);
  informers.start();
  const ports = { registryPort: registry.port, gatewayPorts: [{ port: apiServerPort, loopbackPort: port }] };
  const bare = await machines.ensureSubnet(networkName(place), ports);
  const dns = await startClusterDns({ informers, address: bare.gateway, clock, random, log: started.logOf('dns') });
  const subnet = await machines.ensureSubnet(networkName(place), { ...ports, dnsPort: dns.port });
  const dnsAddress = formatAddress(parseCidr(serviceCidr).base + 10);
  await publishClusterDns(cluster.admin, { clusterIP: dnsAddress, address: subnet.gateway, port: dns.port });
  const events = createEventRecorder({ client: cluster.admin, clock, log, component: 'service-controller' });
  const range = subnet.plan.loadBalancers;
  const stopBalancer = startLoadBalancer({ client: cluster.admin, informers, events, clock, log, range });
  const stopRoutes = startLoadBalancerRoutes({ informers, clock, log, subnet: subnet.plan.cidr, link: subnet.link });
  const stops = [stopRoutes, stopBalancer, () => events.stop(), () => dns.close(), () => informers.stop()];
  return { subnet, informers, serviceCidr, dnsAddress, log, metrics: new Metrics(), stops, nodes: new Map() };
}

function proxyOf(machine: Machine, nodeName: string, followed: Following, clock: Clock): () => void {
  const { informers, serviceCidr } = followed;
  const proxy = startProxy({
    informers,
    nodeName,
    nodeAddress: machine.address,
    podRange: machine.podRange,
    serviceCidr,
    loadRuleset: (script) => loadRuleset(machine.namespaceName, script),
    clock,
    log: followed.log.with({ component: 'kube-proxy', node: nodeName }),
    // Each node's proxy has series of its own name.
    metrics: new Metrics(),
  });
  return () => proxy.stop();
}
