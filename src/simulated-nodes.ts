// Simulated nodes of a cluster: real kubelets whose containers live on the clock, with addresses but no network.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulatedRuntime } from '#kubelet/runtime/simulated/simulated-runtime.ts';
import type { NodeSettings } from '#kubelet/node-object.ts';
import type { Clock } from '#lib/clock.ts';
import type { Random } from '#lib/random.ts';
import { parseCidr } from '#network/ipam/cidr.ts';
import { podAddressAllocator } from '#network/ipam/address-pool.ts';
import type { Cluster } from './cluster.ts';
import { gitVersion } from './cluster.ts';

interface SimulatedNode {
  name?: string;
  cpu?: string;
  memory?: string;
  pods?: string;
  labels?: Record<string, string>;
  taints?: NodeSettings['taints'];
}

export interface SimulatedNodes {
  /** Answers the node's name. */
  add(node?: SimulatedNode): Promise<string>;
  /** A node as a managed node group describes it. */
  addSettings(settings: NodeSettings): Promise<void>;
  /** Those that were added and still run. */
  settings(): NodeSettings[];
  /** A node as another cluster had it, with its addresses. */
  adopt(settings: NodeSettings): Promise<void>;
}

/** Pods and nodes of one cluster share it, as the subnets of a VPC do. */
const subnet = '10.64.0.0/12';

export function createSimulatedNodes({ cluster, clock, random }: { cluster: Cluster; clock: Clock; random: Random }): SimulatedNodes {
  const addresses = podAddressAllocator(parseCidr(subnet));
  const added = new Map<string, NodeSettings>();
  let count = 0;

  const allocate = (wanted?: string): string => {
    if (wanted !== undefined && addresses.reserve(wanted)) return wanted;
    const address = addresses.allocate();
    if (address === undefined) throw new Error(`no address of ${subnet} is free`);
    return address;
  };
  const addSettings = async (settings: NodeSettings): Promise<void> => {
    const directory = join(tmpdir(), 'keks-simulated', settings.name);
    const runtime = createSimulatedRuntime({ clock, random, addresses: { allocate, release: addresses.release } });
    added.set(settings.name, settings);
    await cluster.addNode({ node: settings, runtime, directories: { pods: join(directory, 'pods'), logs: join(directory, 'logs') } });
  };

  const nextName = (): string => {
    const name = `node-${++count}`;
    return added.has(name) ? nextName() : name;
  };

  return {
    addSettings,
    settings: () => [...added.values()].filter(({ name }) => cluster.kubelets.has(name)),
    async adopt(settings) {
      for (const { type, address } of settings.addresses) if (type === 'InternalIP') addresses.reserve(address);
      await addSettings(settings);
    },
    async add(node = {}) {
      const name = node.name ?? nextName();
      await addSettings({
        name,
        addresses: [
          { type: 'InternalIP', address: allocate() },
          { type: 'Hostname', address: name },
        ],
        capacity: { cpu: node.cpu ?? '4', memory: node.memory ?? '16Gi', pods: node.pods ?? '110', 'ephemeral-storage': '20Gi' },
        kubeletVersion: gitVersion,
        ...(node.labels && { labels: node.labels }),
        ...(node.taints && { taints: node.taints }),
      });
      return name;
    },
  };
}
