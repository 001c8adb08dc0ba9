// A cluster's API server with everything that hangs on it: security, discovery, OpenAPI, streams to kubelets, usage metrics, health, audit.
import type { ClusterRole } from '#api/generated/rbac-v1.ts';
import { nodes, pods } from '#api/generated/resources.ts';
import type { Authorizer, TokenAuthenticator } from '#api/meta/access.ts';
import { resourceInfo } from '#api/resources.ts';
import type { KubeletDirectory } from '#client/kubelet-connection.ts';
import type { Clock } from '#lib/clock.ts';
import type { HttpHandler } from '#lib/http/exchange.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import type { Store } from '#store/store.ts';
import type { Registry } from 'prom-client';
import type { AuditSink } from './audit/audit.ts';
import { createAuditTrail } from './audit/audit.ts';
import { rbacBootstrapObjects } from './authz/bootstrap-objects.ts';
import { clusterNamespaces, kubernetesService, systemPriorityClasses } from './cluster-objects.ts';
import { createDiscovery } from './discovery/discovery.ts';
import type { ComponentRegistries } from './health/component-metrics.ts';
import { componentMetrics } from './health/component-metrics.ts';
import { createHealth } from './health/health.ts';
import { combineTrails, createMetrics } from './health/metrics.ts';
import { createOpenApi } from './openapi/openapi.ts';
import type { ClusterView } from './registry/cluster-view.ts';
import type { RequestInfo } from './request.ts';
import { createUsageCollector } from './resource-metrics/collector.ts';
import { metricsReaderRole, resourceMetrics } from './resource-metrics/resource-metrics.ts';
import { resourceRules } from './resources/all.ts';
import type { DecodedValues } from './cache/world.ts';
import type { ClusterSecurity } from './security.ts';
import { createSecurity } from './security.ts';
import type { ApiServer } from './server.ts';
import { createApiServer } from './server.ts';
import { connectHandlers } from './streaming/connect.ts';

export interface AssemblyOptions {
  store: Store;
  clock: Clock;
  random: Random;
  log: Log;
  gitVersion: string;
  /** `host:port` as clients outside know the server. */
  address(): string;
  /** What service account tokens name as their issuer, and the PEM of the key that signs them. */
  issuer: string;
  serviceAccountKey: string;
  tokenAuthenticators?: readonly TokenAuthenticator[];
  authorizers?: readonly Authorizer[];
  serviceCidr: string;
  /** Where pods reach the server: the endpoint of the `kubernetes` service. Unset: there is no such service. */
  advertise?: { address: string; port: number };
  kubelets: KubeletDirectory;
  /** What the other components of the control plane measure. */
  components: ComponentRegistries;
  audit?: AuditSink;
  /** Shared with the server that this one's store was forked from. */
  decoded?: DecodedValues;
}

export interface AssembledApiServer extends ApiServer {
  /** Answers requests from the network. */
  handle: HttpHandler;
  metrics: Registry;
}

export function assembleApiServer(options: AssemblyOptions): AssembledApiServer {
  const { store, clock, random, log, gitVersion, kubelets, audit, serviceCidr } = options;
  let view: ClusterView | undefined;
  let security: ClusterSecurity | undefined;
  let isStopping = false;
  const metrics = createMetrics({ clock, gitVersion, watchers: () => server.watcherCount, isServed });
  const metricsReader = metricsReaderRole();
  const discovery = createDiscovery({ resources: () => server.discovered, serverAddress: options.address, gitVersion });
  const openApi = createOpenApi({ resources: () => server.discovered, gitVersion });
  const health = createHealth(
    [
      { name: 'store', check: async () => void (await store.currentRevision()) },
      { name: 'shutdown', endpoints: ['readyz'], check: () => refuseWhile(isStopping) },
    ],
    (check, error) => log.warn({ check, error: String(error) }, 'health check failed'),
  );
  const server = createApiServer({
    store,
    clock,
    random,
    log,
    serviceCidr,
    ...(options.decoded && { decoded: options.decoded }),
    rules: resourceRules,
    security(cluster) {
      view = cluster;
      return (security = createSecurity(cluster, { ...options, publicUrl: () => `https://${options.address()}` }));
    },
    virtual: (cluster) => resourceMetrics(cluster, createUsageCollector({ kubelets, clock })),
    connect: connectHandlers({
      clock,
      kubelets,
      pod: (namespace, name) => view!.latest(pods, { namespace, name }),
      nodeExists: (name) => view!.cached(nodes, { name }) !== undefined,
    }),
    paths: [discovery.handle, openApi.handle, health, metrics.handle, componentMetrics(options.components)],
    audit: combineTrails([
      metrics.trail,
      ...(audit ? [createAuditTrail({ sink: audit, clock, random, impersonatorOf: (user) => security!.impersonatorOf(user) })] : []),
    ]),
    bootstrap: [
      ...clusterNamespaces(),
      ...systemPriorityClasses(),
      ...rbacBootstrapObjects([metricsReader.object as ClusterRole]),
      metricsReader,
      ...(options.advertise ? kubernetesService(firstAddressOf(serviceCidr), options.advertise) : []),
    ],
  });
  const { stop } = server;
  return Object.assign(server, {
    metrics: metrics.registry,
    async stop() {
      isStopping = true;
      await stop();
    },
  });
}

/** The first address of a service range is the API server's own. */
export function firstAddressOf(cidr: string): string {
  const base = cidr.split('/')[0]!.split('.').map(Number);
  return [...base.slice(0, 3), base[3]! + 1].join('.');
}

function isServed({ group, version, resource }: RequestInfo): boolean {
  return resourceInfo({ group, version, plural: resource }) !== undefined;
}

function refuseWhile(stopping: boolean): void {
  if (stopping) throw new Error('the server is stopping');
}
