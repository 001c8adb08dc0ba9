// EKS as one part: records, access and the endpoint over a host that runs the clusters.
import { accountId } from '#aws/iam-records.ts';
import type { Iam } from '#aws/iam-records.ts';
import type { Clock } from '#lib/clock.ts';
import type { HttpHandler } from '#lib/http/exchange.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { accessPolicyAuthorizer, iamAuthenticator } from './access/cluster-access.ts';
import type { Clusters } from './clusters/clusters.ts';
import { openClusters } from './clusters/clusters.ts';
import type { ClusterHost } from './clusters/host.ts';
import type { Nodegroups } from './nodegroups/nodegroups.ts';
import { openNodegroups } from './nodegroups/nodegroups.ts';
import { eksHandler } from './server.ts';

export interface EksOptions {
  /** KEKS_HOME/state/eks */
  directory: string;
  region: string;
  iam: Iam;
  host: ClusterHost;
  clock: Clock;
  random: Random;
  log: Log;
  /** `127.0.0.1:4577` and its other names: hosts that an IAM token's URL may name besides AWS' own. */
  ownHosts: readonly string[];
}

export interface Eks {
  readonly handler: HttpHandler;
  readonly clusters: Clusters;
  readonly nodegroups: Nodegroups;
  /** Makes reality what the records say: clusters first, then their nodes. */
  resume(): Promise<void>;
  /** Waits a moment for work under way, then keeps no change any more: the next `resume` takes up what was cut off. */
  close(): Promise<void>;
}

const closePatienceMs = 3000;

export async function openEks(options: EksOptions): Promise<Eks> {
  const { region, iam, clock, random, log } = options;
  const now = () => clock.now();
  const nodegroups = await openNodegroups(options);
  const accessOf = (clusterName: string) => {
    const creatorArn = () => {
      const record = clusters.get(clusterName);
      return record?.bootstrapCreatorAdmin ? record.creator.canonicalArn : undefined;
    };
    const nodeOf = (roleArn: string, instanceId: string) =>
      nodegroups
        .of(clusterName)
        .filter((record) => record.nodegroup.nodeRole === roleArn)
        .flatMap((record) => record.instances)
        .find((instance) => instance.instanceId === instanceId);
    const access = { clusterName, credentials: iam.credentials, now, ownHosts: options.ownHosts, creatorArn, nodeOf };
    return { authenticateToken: iamAuthenticator(access), authorize: accessPolicyAuthorizer(access) };
  };
  const clusters: Clusters = await openClusters({ ...options, accountId, accessOf });
  const context = { accountId, region, random, now, clusters, nodegroups };
  return {
    handler: eksHandler({ context, credentials: iam.credentials, log }),
    clusters,
    nodegroups,
    async resume() {
      await clusters.resume();
      await nodegroups.resume();
    },
    async close() {
      await Promise.race([Promise.all([clusters.idle(), nodegroups.idle()]), clock.sleep(closePatienceMs)]);
      await Promise.all([clusters.close(), nodegroups.close()]);
    },
  };
}
