// Where a fleet's nodes come from: simulated ones in this process, or real ones on this machine.
import type { DepartingNode, NewInstance, NodeSpec } from '#eks/clusters/host.ts';
import type { NodeSettings } from '#kubelet/node-object.ts';
import type { Log } from '#lib/log.ts';
import type { Cluster } from '#cluster.ts';
import type { RuntimeKind } from './home.ts';

export interface ClusterPlace {
  name: string;
  id: string;
  /** Folder for what belongs to the cluster. */
  directory: string;
}

interface ClusterNetwork {
  /** Further addresses under which nodes and pods know the API server. */
  addresses: readonly string[];
  /** Where pods reach the API server; unset: nowhere. */
  advertise?: { address: string; port: number };
}

interface StartedCluster {
  cluster: Cluster;
  port: number;
  serviceCidr: string;
  logOf(component: string): Log;
}

export interface NodeProvider {
  readonly kind: RuntimeKind;
  /** Once the home is ours alone, before anything else; the others wait for it. */
  start(): Promise<void>;
  /** After all clusters have stopped: ends whatever the nodes run and leaves nothing on this machine but their files. */
  stop(): Promise<void>;
  /** Before the API server starts: brings the cluster's network up. Idempotent. */
  prepareCluster(cluster: ClusterPlace): Promise<ClusterNetwork>;
  /** Once the API server listens: what of the network follows the cluster's objects. Idempotent. */
  clusterStarted(cluster: ClusterPlace, started: StartedCluster): Promise<void>;
  /** The cluster stops, what runs on its machines goes on. */
  clusterStopping(cluster: ClusterPlace): Promise<void>;
  claimAddresses(cluster: ClusterPlace, instances: readonly NewInstance[], taken: ReadonlySet<string>): Promise<string[]>;
  /** Makes or adopts the machine and starts its kubelet, which adopts what runs there. */
  addNode(cluster: ClusterPlace, node: NodeSpec, settings: NodeSettings): Promise<void>;
  /** Ends what runs on the machine, removes it and its Node object. Idempotent. */
  removeNode(cluster: ClusterPlace, node: DepartingNode): Promise<void>;
  removeCluster(cluster: ClusterPlace): Promise<void>;
  /** Makes the images of an archive available to all nodes; answers their names. */
  loadImage(file: string): Promise<string[]>;
}
