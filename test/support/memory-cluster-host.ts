// A host that keeps clusters and nodes in memory: what EKS' own tests look at instead of starting control planes.
import { freeAddress } from '#eks/nodegroups/addresses.ts';
import type { ClusterHost, ClusterSpec, NodeChange, NodeSpec } from '#eks/clusters/host.ts';

export interface MemoryHost extends ClusterHost {
  readonly clusters: Map<string, { spec: ClusterSpec; nodes: Map<string, NodeSpec>; changes: NodeChange[] }>;
  /** From now on calls wait until `release`. */
  hold(): void;
  release(): void;
  /** While set, calls fail with it. */
  failure: Error | undefined;
}

export function memoryHost(): MemoryHost {
  const clusters: MemoryHost['clusters'] = new Map();
  let held: PromiseWithResolvers<void> | undefined;
  const gate = async () => {
    await held?.promise;
    if (host.failure) throw host.failure;
  };
  let port = 40_000;
  const host: MemoryHost = {
    clusters,
    hold() {
      held = Promise.withResolvers();
    },
    release() {
      held?.resolve();
    },
    failure: undefined,
    async startCluster(spec) {
      await gate();
      const present = clusters.get(spec.name);
      clusters.set(spec.name, { spec, nodes: present?.nodes ?? new Map(), changes: [] });
      return { endpoint: `https://127.0.0.1:${spec.port ?? ++port}`, certificateAuthorityData: 'Q0E=' };
    },
    async deleteCluster({ name }) {
      await gate();
      clusters.delete(name);
    },
    async addNode(clusterName, node) {
      await gate();
      clusters.get(clusterName)!.nodes.set(node.name, node);
    },
    async claimAddresses(_clusterName, instances, taken) {
      await gate();
      const all = new Set(taken);
      return instances.map(({ zone }) => {
        const address = freeAddress(zone, all);
        all.add(address);
        return address;
      });
    },
    async removeNode(clusterName, { name }) {
      await gate();
      if (name !== undefined) clusters.get(clusterName)?.nodes.delete(name);
    },
    async updateNode(clusterName, _nodeName, change) {
      await gate();
      clusters.get(clusterName)!.changes.push(change);
    },
  };
  return host;
}
