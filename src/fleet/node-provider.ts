// Where a fleet's nodes come from: simulated ones in this process, or real ones on this machine.
import type { DepartingNode, NewInstance, NodeSpec } from '#eks/clusters/host.ts';
import type { Log } from '#lib/log.ts';
import type { Cluster, NodeOptions } from '../cluster.ts';
import type { RuntimeKind } from './home.ts';

export interface ClusterPlace {
  name: string;
  id: string;
  /** Folder for what belongs to the cluster. */
  directory: string;
}

export interface ClusterNetwork {
  /** Further addresses under which nodes and pods know the API server. */
  addresses: readonly string[];
  /** Where pods reach the API server; unset: nowhere. */
  advertiseAddress?: string;
}

export interface StartedCluster {
  cluster: Cluster;
  port: number;
  serviceCidr: string;
  logOf(component: string): Log;
}

export interface NodeProvider {
  readonly kind: RuntimeKind;
  /** Before the API server starts: brings the cluster's network up. Idempotent. */
  prepareCluster(cluster: ClusterPlace): Promise<ClusterNetwork>;
  /** Once the API server listens: what of the network follows the cluster's objects. Idempotent. */
  clusterStarted(cluster: ClusterPlace, started: StartedCluster): Promise<void>;
  /** The cluster stops, what runs on its machines goes on. */
  clusterStopping(cluster: ClusterPlace): Promise<void>;
  claimAddresses(cluster: ClusterPlace, instances: readonly NewInstance[], taken: ReadonlySet<string>): Promise<string[]>;
  /** Makes or adopts the machine; the kubelet that is started with the answer adopts what runs on it. */
  startNode(cluster: ClusterPlace, node: NodeSpec): Promise<Omit<NodeOptions, 'node'>>;
  /** Ends what runs on the machine and removes it. Idempotent. */
  removeNode(cluster: ClusterPlace, node: DepartingNode): Promise<void>;
  removeCluster(cluster: ClusterPlace): Promise<void>;
  /** Makes the images of an archive available to all nodes; answers their names. */
  loadImage(file: string): Promise<string[]>;
  /** Lets go; what runs goes on. */
  close(): Promise<void>;
}
