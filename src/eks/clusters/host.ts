// What EKS needs of whatever runs clusters and nodes: the reality behind the records. `fleet.ts` brings it.
import type { Authorizer, TokenAuthenticator } from '#api/meta/access.ts';
import type { NodeCapacity } from '#eks/nodegroups/capacity.ts';

export interface ClusterSpec {
  name: string;
  arn: string;
  /** 32 upper-case hex digits; never reused, also when a name is. */
  id: string;
  region: string;
  accountId: string;
  /** `1.36` */
  version: string;
  serviceIpv4Cidr: string;
  /** The service account issuer that DescribeCluster tells. */
  issuer: string;
  /** The port that the cluster had before; unset at first. */
  port?: number;
  /** IAM tokens: asked for every bearer token that is no service account's. */
  authenticateToken: TokenAuthenticator;
  /** EKS access policies: asked after the node authorizer and before RBAC. */
  authorize: Authorizer;
}

export interface RunningCluster {
  /** `https://127.0.0.1:12345` */
  endpoint: string;
  /** The PEM of the cluster's CA in base64, as kubeconfigs carry it. */
  certificateAuthorityData: string;
}

export interface NodeTaint {
  key: string;
  value?: string;
  effect: 'NoSchedule' | 'NoExecute' | 'PreferNoSchedule';
}

export interface NodeSpec {
  /** `ip-10-0-1-23.ec2.internal` */
  name: string;
  privateIp: string;
  instanceId: string;
  instanceType: string;
  zone: string;
  /** `aws:///<zone>/<instance id>` */
  providerId: string;
  nodegroup: string;
  labels: Readonly<Record<string, string>>;
  taints: readonly NodeTaint[];
  capacity: NodeCapacity;
}

/** An instance that was decided on and has no address yet. */
export interface NewInstance {
  instanceId: string;
  zone: string;
  /** How many pods it will hold. */
  pods: number;
}

export interface DepartingNode {
  instanceId: string;
  /** Unset if the instance never got an address. */
  name?: string;
}

/** What changes on nodes that are already there. */
export interface NodeChange {
  setLabels: Readonly<Record<string, string>>;
  removeLabels: readonly string[];
  setTaints: readonly NodeTaint[];
  /** By key and effect. */
  removeTaints: readonly NodeTaint[];
}

/**
 * Every call is idempotent: after kill -9 the daemon repeats what its records say.
 * State that belongs to a cluster or a node is found again by its id or name.
 */
export interface ClusterHost {
  /** Resolves once the API server is ready. The state of a cluster of this id is taken up again, or made. */
  startCluster(spec: ClusterSpec): Promise<RunningCluster>;
  /** Stops the cluster with its nodes and forgets all its state. */
  deleteCluster(cluster: { name: string; id: string }): Promise<void>;
  /**
   * Addresses of the VPC for new instances, in their order. The same instance always gets the same one.
   * `taken` are those of all other nodes here.
   */
  claimAddresses(clusterName: string, instances: readonly NewInstance[], taken: ReadonlySet<string>): Promise<string[]>;
  /** Resolves once the node is Ready. */
  addNode(clusterName: string, node: NodeSpec): Promise<void>;
  /** Drains the node as far as its budgets allow, stops it, and deletes its Node object. */
  removeNode(clusterName: string, node: DepartingNode): Promise<void>;
  updateNode(clusterName: string, nodeName: string, change: NodeChange): Promise<void>;
}
