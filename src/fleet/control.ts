// The daemon's own interface under /-/: for the command line, on the loopback, behind a token that only the home's owner can read.
import { timingSafeEqual } from 'node:crypto';
import type { Eks } from '#eks/eks.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import type { Component } from '#cluster.ts';
import type { DaemonInfo } from './home.ts';
import type { LocalClusters } from './local-clusters.ts';
import type { NodeProvider } from './node-provider.ts';
import { nodes } from '#api/generated/resources.ts';

export interface ControlOptions {
  token: string;
  info: () => DaemonInfo;
  version: string;
  eks: Eks;
  clusters: LocalClusters;
  provider: NodeProvider;
  shutdown: () => void;
}

interface NodeStatus {
  name: string;
  nodegroup: string;
  instanceType: string;
  ready: boolean;
  allocatablePods: number;
}

export interface ClusterStatus {
  name: string;
  arn: string;
  status: string;
  version: string;
  endpoint?: string;
  certificateAuthorityData?: string;
  issues: string[];
  nodes: NodeStatus[];
}

/** For people to read: certificates are not. */
export function withoutCertificate({
  certificateAuthorityData: hidden,
  ...shown
}: ClusterStatus): Omit<ClusterStatus, 'certificateAuthorityData'> {
  void hidden;
  return shown;
}

export interface FleetStatus extends DaemonInfo {
  version: string;
  clusters: ClusterStatus[];
}

export function controlHandler(options: ControlOptions): HttpHandler {
  return async (request) => {
    if (request.path === '/-/healthz') return text(200, 'ok');
    if (!authorized(request, options.token))
      return json(401, { message: 'the control interface wants the token in KEKS_HOME/state/control-token' });
    switch (`${request.method} ${request.path}`) {
      case 'GET /-/status':
        return json(200, await fleetStatus(options));
      case 'GET /-/metrics':
        return metricsOf(request, options.clusters);
      case 'POST /-/images':
        return loadImage(request, options.provider);
      case 'POST /-/shutdown':
        options.shutdown();
        return json(200, {});
      default:
        return json(404, { message: `no such path: ${request.path}` });
    }
  };
}

function authorized({ headers }: HttpRequest, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function fleetStatus({ info, version, eks, clusters }: ControlOptions): Promise<FleetStatus> {
  const all = eks.clusters.names().map(async (name): Promise<ClusterStatus> => {
    const { cluster } = eks.clusters.get(name)!;
    return {
      name,
      arn: cluster.arn,
      status: cluster.status,
      version: cluster.version,
      ...(cluster.endpoint && { endpoint: cluster.endpoint }),
      ...(cluster.certificateAuthority?.data && { certificateAuthorityData: cluster.certificateAuthority.data }),
      issues: (cluster.health?.issues ?? []).map((issue) => issue.message ?? ''),
      nodes: await nodeStatuses(name, clusters),
    };
  });
  return { ...info(), version, clusters: await Promise.all(all) };
}

async function nodeStatuses(name: string, clusters: LocalClusters): Promise<NodeStatus[]> {
  const local = clusters.running.get(name);
  if (local === undefined) return [];
  const { items } = await local.cluster.admin.list(nodes);
  return items.map(({ metadata, status }) => ({
    name: metadata.name!,
    nodegroup: metadata.labels?.['eks.amazonaws.com/nodegroup'] ?? '',
    instanceType: metadata.labels?.['node.kubernetes.io/instance-type'] ?? '',
    ready: status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
    allocatablePods: Number(status?.allocatable?.pods ?? 0),
  }));
}

/** The daemon's own; with `?cluster=NAME&component=apiserver` (or controller-manager, scheduler) those of a cluster's component. */
async function metricsOf({ query }: HttpRequest, { running }: LocalClusters): Promise<HttpResponse> {
  const parameters = new URLSearchParams(query);
  const name = parameters.get('cluster');
  if (name === null) return text(200, daemonMetrics(running.size));
  const component = components.find((known) => known === (parameters.get('component') ?? 'apiserver'));
  const local = running.get(name);
  if (local === undefined || component === undefined) return json(404, { message: 'no such cluster or component' });
  return text(200, await local.cluster.metrics(component));
}

const components: readonly Component[] = ['apiserver', 'controller-manager', 'scheduler'];

function daemonMetrics(clusters: number): string {
  const lines = [
    '# HELP keks_clusters Clusters that run in this daemon.',
    '# TYPE keks_clusters gauge',
    `keks_clusters ${clusters}`,
    '# HELP process_resident_memory_bytes Resident memory size in bytes.',
    '# TYPE process_resident_memory_bytes gauge',
    `process_resident_memory_bytes ${process.memoryUsage().rss}`,
  ];
  return `${lines.join('\n')}\n`;
}

async function loadImage(request: HttpRequest, provider: NodeProvider): Promise<HttpResponse> {
  const body: unknown = JSON.parse((await request.body(16 * 1024)).toString());
  const file = (body as { file?: unknown }).file;
  if (typeof file !== 'string') return json(400, { message: 'file is missing' });
  try {
    return json(200, { images: await provider.loadImage(file) });
  } catch (error) {
    return json(422, { message: (error as Error).message });
  }
}

function json(status: number, value: unknown): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

function text(status: number, body: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }, body: Buffer.from(body) };
}
