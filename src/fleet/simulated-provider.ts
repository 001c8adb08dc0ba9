// Simulated nodes: real kubelets whose pods live on the clock, with addresses of a VPC that exists only in the records.
import { join } from 'node:path';
import { freeAddress } from '#eks/nodegroups/addresses.ts';
import { createSimulatedRuntime } from '#kubelet/runtime/simulated/simulated-runtime.ts';
import type { Clock } from '#lib/clock.ts';
import type { Random } from '#lib/random.ts';
import type { AddressPool } from '#network/ipam/address-pool.ts';
import { createAddressPool } from '#network/ipam/address-pool.ts';
import { parseAddress } from '#network/ipam/cidr.ts';
import type { Cluster } from '#cluster.ts';
import type { NodeProvider } from './node-provider.ts';

/** Beyond the addresses of nodes. */
const podAddresses = { first: parseAddress('10.0.244.1')!, last: parseAddress('10.9.255.254')! };

export function simulatedProvider({ clock, random }: { clock: Clock; random: Random }): NodeProvider {
  const clusters = new Map<string, Cluster>();
  const pools = new Map<string, AddressPool>();
  const poolOf = (cluster: string): AddressPool => {
    const pool = pools.get(cluster) ?? createAddressPool(podAddresses);
    pools.set(cluster, pool);
    return pool;
  };
  return {
    kind: 'simulated',
    start: async () => undefined,
    stop: async () => undefined,
    prepareCluster: async () => ({ addresses: [] }),
    async clusterStarted({ id }, { cluster }) {
      clusters.set(id, cluster);
    },
    async clusterStopping({ id }) {
      clusters.delete(id);
    },
    async claimAddresses(_cluster, instances, taken) {
      const all = new Set(taken);
      return instances.map(({ zone }) => {
        const address = freeAddress(zone, all);
        all.add(address);
        return address;
      });
    },
    async addNode(cluster, node, settings) {
      const pool = poolOf(cluster.id);
      const allocate = (wanted?: string): string => {
        if (wanted !== undefined && pool.reserve(wanted)) return wanted;
        const address = pool.allocate();
        if (address === undefined) throw new Error('no pod address is free');
        return address;
      };
      const directory = join(cluster.directory, 'nodes', node.name);
      await clusters.get(cluster.id)!.addNode({
        node: settings,
        runtime: createSimulatedRuntime({ clock, random, addresses: { allocate, release: pool.release } }),
        directories: { pods: join(directory, 'pods'), logs: join(directory, 'logs') },
      });
    },
    async removeNode({ id }, { name }) {
      if (name !== undefined) await clusters.get(id)?.removeNode(name, { forget: true });
    },
    async removeCluster({ id }) {
      pools.delete(id);
    },
    loadImage: () => Promise.reject(new Error('simulated nodes run no images: start keks with --runtime containerd to load one')),
  };
}
