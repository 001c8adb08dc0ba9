// EKS calls of the command line: the same signed requests that every other client sends.
import type { SigningCredentials } from '#aws/sign.ts';
import { signHeaders } from '#aws/sign.ts';
import type {
  CreateClusterRequest,
  CreateNodegroupRequest,
  DescribeClusterResponse,
  DescribeNodegroupResponse,
} from '#eks/generated/types.ts';
import type { Clock } from '#lib/clock.ts';
import { CommandFailure } from './failure.ts';

export interface EksClient {
  describeCluster(name: string): Promise<DescribeClusterResponse | undefined>;
  createCluster(input: CreateClusterRequest): Promise<void>;
  describeNodegroup(clusterName: string, nodegroupName: string): Promise<DescribeNodegroupResponse | undefined>;
  createNodegroup(input: CreateNodegroupRequest): Promise<void>;
}

export interface EksClientOptions {
  endpoint: string;
  region: string;
  credentials: SigningCredentials;
  clock: Clock;
}

export function eksClient(options: EksClientOptions): EksClient {
  const send = async (method: string, path: string, input?: object): Promise<unknown> => {
    const body = input === undefined ? '' : JSON.stringify(input);
    const headers = { host: new URL(options.endpoint).host, ...(body && { 'content-type': 'application/json' }) };
    const request = { method, path, query: '', headers, body: Buffer.from(body) };
    const target = { region: options.region, service: 'eks', nowMs: options.clock.now() };
    const signed = signHeaders(request, options.credentials, target);
    const response = await fetch(options.endpoint + path, { method, headers: signed, ...(body && { body }) });
    const answer = (await response.json()) as { message?: string };
    const code = response.headers.get('x-amzn-errortype') ?? String(response.status);
    if (code === 'ResourceNotFoundException') return undefined;
    // Another `keks up` was first: what is wanted is there.
    if (code === 'ResourceInUseException') return undefined;
    if (!response.ok) throw new CommandFailure(`${code}: ${answer.message ?? ''}`);
    return answer;
  };
  return {
    describeCluster: async (name) => (await send('GET', `/clusters/${name}`)) as DescribeClusterResponse | undefined,
    createCluster: async (input) => void (await send('POST', '/clusters', input)),
    describeNodegroup: async (cluster, name) =>
      (await send('GET', `/clusters/${cluster}/node-groups/${name}`)) as DescribeNodegroupResponse | undefined,
    createNodegroup: async ({ clusterName, ...input }) => void (await send('POST', `/clusters/${clusterName}/node-groups`, input)),
  };
}
