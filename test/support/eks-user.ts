// Someone who works with EKS: through the AWS CLI where the machine has it, else through AWS' SDK.
import { writeFile } from 'node:fs/promises';
import {
  CreateClusterCommand,
  CreateNodegroupCommand,
  DeleteClusterCommand,
  DeleteNodegroupCommand,
  EKSClient,
  waitUntilClusterActive,
  waitUntilClusterDeleted,
  waitUntilNodegroupActive,
  waitUntilNodegroupDeleted,
} from '@aws-sdk/client-eks';
import { isOnPath } from '#cli/bundled-clients.ts';
import { knowsEndpointVariable } from './aws-cli.ts';
import type { Shell } from './shell.ts';

interface Nodegroup {
  cluster: string;
  name: string;
  instanceType: string;
  size: number;
}

export interface EksUser {
  how: string;
  /** Until it is ACTIVE. */
  createCluster(name: string): Promise<void>;
  /** Until all its nodes are Ready. */
  createNodegroup(nodegroup: Nodegroup): Promise<void>;
  deleteNodegroup(nodegroup: Pick<Nodegroup, 'cluster' | 'name'>): Promise<void>;
  deleteCluster(name: string): Promise<void>;
  updateKubeconfig(cluster: string, file: string): Promise<void>;
}

const clusterRole = 'arn:aws:iam::123456789012:role/eks-cluster';
const nodeRole = 'arn:aws:iam::123456789012:role/eks-node';
const subnets = ['subnet-0a', 'subnet-0b'];

/** The shell's environment must hold `keks env`. */
export async function eksUser(shell: Shell): Promise<EksUser> {
  return isOnPath('aws', shell.env.PATH) ? commandLineUser(shell) : sdkUser(shell);
}

async function commandLineUser(shell: Shell): Promise<EksUser> {
  const version = await shell.run('aws', '--version');
  const endpoint = (await knowsEndpointVariable(shell.env)) ? [] : ['--endpoint-url', shell.env.AWS_ENDPOINT_URL!];
  const eks = (...args: string[]) => shell.run('aws', 'eks', ...args, ...endpoint);
  return {
    how: version.split(' ')[0]!,
    async createCluster(name) {
      await eks('create-cluster', '--name', name, '--role-arn', clusterRole, '--resources-vpc-config', `subnetIds=${subnets.join(',')}`);
      await eks('wait', 'cluster-active', '--name', name);
    },
    async createNodegroup({ cluster, name, instanceType, size }) {
      const which = ['--cluster-name', cluster, '--nodegroup-name', name];
      const scaling = `minSize=0,maxSize=10,desiredSize=${size}`;
      const shape = ['--node-role', nodeRole, '--subnets', ...subnets, '--instance-types', instanceType, '--scaling-config', scaling];
      await eks('create-nodegroup', ...which, ...shape);
      await eks('wait', 'nodegroup-active', ...which);
    },
    async deleteNodegroup({ cluster, name }) {
      const which = ['--cluster-name', cluster, '--nodegroup-name', name];
      await eks('delete-nodegroup', ...which);
      await eks('wait', 'nodegroup-deleted', ...which);
    },
    async deleteCluster(name) {
      await eks('delete-cluster', '--name', name);
      await eks('wait', 'cluster-deleted', '--name', name);
    },
    async updateKubeconfig(cluster, file) {
      await eks('update-kubeconfig', '--name', cluster, '--kubeconfig', file);
    },
  };
}

function sdkUser({ env, run }: Shell): EksUser {
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID!, secretAccessKey: env.AWS_SECRET_ACCESS_KEY! };
  const client = new EKSClient({ endpoint: env.AWS_ENDPOINT_URL!, region: env.AWS_REGION!, credentials });
  const waiting = { client, maxWaitTime: 120, minDelay: 1, maxDelay: 2 };
  return {
    how: "AWS' SDK, as this machine has no AWS CLI",
    async createCluster(name) {
      await client.send(new CreateClusterCommand({ name, roleArn: clusterRole, resourcesVpcConfig: { subnetIds: subnets } }));
      await waitUntilClusterActive(waiting, { name });
    },
    async createNodegroup({ cluster: clusterName, name: nodegroupName, instanceType, size }) {
      const scalingConfig = { minSize: 0, maxSize: 10, desiredSize: size };
      const shape = { nodeRole, subnets, instanceTypes: [instanceType], scalingConfig };
      await client.send(new CreateNodegroupCommand({ clusterName, nodegroupName, ...shape }));
      await waitUntilNodegroupActive(waiting, { clusterName, nodegroupName });
    },
    async deleteNodegroup({ cluster: clusterName, name: nodegroupName }) {
      await client.send(new DeleteNodegroupCommand({ clusterName, nodegroupName }));
      await waitUntilNodegroupDeleted(waiting, { clusterName, nodegroupName });
    },
    async deleteCluster(name) {
      await client.send(new DeleteClusterCommand({ name }));
      await waitUntilClusterDeleted(waiting, { name });
    },
    async updateKubeconfig(cluster, file) {
      await writeFile(file, await run('keks', 'kubeconfig', '--name', cluster), { mode: 0o600 });
    },
  };
}
