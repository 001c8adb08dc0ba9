// One cluster: the only file that constructs its components, in the order in which they start.
import { Registry } from 'prom-client';
import type { Service } from '#api/generated/core-v1.ts';
import { services, storageclasses } from '#api/generated/resources.ts';
import type { Authorizer, TokenAuthenticator, UserInfo } from '#api/meta/access.ts';
import { isAlreadyExists, isNotFound } from '#api/meta/errors.ts';
import type { ResourceType } from '#api/meta/object.ts';
import { nodes as nodeResource } from '#api/generated/resources.ts';
import type { AssemblyOptions } from '#apiserver/assembly.ts';
import { assembleApiServer, firstAddressOf } from '#apiserver/assembly.ts';
import type { AuditSink } from '#apiserver/audit/audit.ts';
import type { DecodedValues } from '#apiserver/cache/world.ts';
import type { ApiServer } from '#apiserver/server.ts';
import { defaultServiceCidr } from '#apiserver/server.ts';
import type { Client } from '#client/client.ts';
import { createEventRecorder } from '#client/events.ts';
import type { Informers } from '#client/informer.ts';
import { createInformers } from '#client/informer.ts';
import type { KubeletDirectory } from '#client/kubelet-connection.ts';
import { controllers } from '#controllers/all.ts';
import type { SignRequest } from '#controllers/certificate-signing/controller.ts';
import { certificateSigning } from '#controllers/certificate-signing/controller.ts';
import type { LocalVolumes } from '#controllers/local-volume-provisioner/controller.ts';
import { localStorageClass, localVolumeProvisioner } from '#controllers/local-volume-provisioner/controller.ts';
import type { ControllerManager } from '#controllers/runtime/manager.ts';
import { startControllerManager } from '#controllers/runtime/manager.ts';
import type { Kubelet, KubeletOptions } from '#kubelet/kubelet.ts';
import { createKubelet } from '#kubelet/kubelet.ts';
import { signRequest } from '#lib/certificates.ts';
import type { Clock } from '#lib/clock.ts';
import type { HttpHandler } from '#lib/http/exchange.ts';
import type { HttpServer } from '#lib/http/server.ts';
import { serveTls } from '#lib/http/server.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import type { Scheduler } from '#scheduler/scheduler.ts';
import { createScheduler } from '#scheduler/scheduler.ts';
import type { Store } from '#store/store.ts';
import type { ClusterIdentity } from './cluster-identity.ts';
import { issueServerCertificate } from './cluster-identity.ts';

/** The Kubernetes version whose behaviour is mirrored. */
export const gitVersion = 'v1.36.0+keks';

export interface ClusterOptions {
  store: Store;
  clock: Clock;
  random: Random;
  /** The log of a component: `apiserver`, `controller-manager`, `scheduler`, `kubelet`, … */
  logOf(component: string): Log;
  /** PEM of the key that signs service account tokens. */
  serviceAccountKey: string;
  /** PEM of the authority that pods are told to trust. */
  rootCa: string;
  /** What service account tokens name as their issuer. */
  issuer: string;
  serviceCidr?: string;
  /** Asked for bearer tokens that are no service account's. */
  tokenAuthenticators?: readonly TokenAuthenticator[];
  /** Asked after the node authorizer and before RBAC. */
  authorizers?: readonly Authorizer[];
  /** Where the API server is reached over the network; unset: only by clients of this process. */
  listen?: Listening;
  /** Where the default storage class makes its volumes; unset: there is no such class. */
  volumes?: LocalVolumes;
  /** Where the audit log goes. */
  audit?: AuditSink;
  /** Shared with the cluster that this one's store was forked from: it need not decode what that one has. */
  decoded?: DecodedValues;
}

interface Listening {
  identity: ClusterIdentity;
  host: string;
  /** 0: a free one. */
  port: number;
  /** Further addresses under which clients know the server. */
  addresses: readonly string[];
  /** Where pods reach it; the endpoint of the `kubernetes` service. */
  advertise?: { address: string; port: number };
}

type NodeOptions = Pick<KubeletOptions, 'node' | 'runtime' | 'directories' | 'clusterDns' | 'hostDns'>;

export interface Cluster {
  /** May do everything. */
  readonly admin: Client;
  client(user: UserInfo): Client;
  /** The port that the API server listens on, if it does. */
  readonly port: number | undefined;
  readonly apiServer: ApiServer;
  /** Resolves when the node is registered and follows its pods. */
  addNode(options: NodeOptions): Promise<Kubelet>;
  /** Stops the node's kubelet; with `forget` also deletes its Node object. */
  removeNode(name: string, options?: { forget: boolean }): Promise<void>;
  readonly kubelets: ReadonlyMap<string, Kubelet>;
  /** The Prometheus text of a component's metrics. */
  metrics(component: Component): Promise<string>;
  stop(): Promise<void>;
}

export type Component = 'apiserver' | 'controller-manager' | 'scheduler';

const adminUser: UserInfo = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { clock, random } = options;
  const kubelets = new Map<string, Kubelet>();
  const directory: KubeletDirectory = (name) => kubelets.get(name)?.connection;
  const components = { kcm: new Registry(), ksh: new Registry() };
  // The port is opened first, because objects that the API server starts with name it; requests wait until it is ready.
  const ready = Promise.withResolvers<HttpHandler>();
  const http = options.listen && (await listen(options.listen, async (request) => (await ready.promise)(request), options));
  const port = http?.port;
  const apiServer = assembleApiServer(assemblyOf(options, { port, kubelets: directory, components }));
  try {
    await apiServer.start();
  } catch (error) {
    await http?.close();
    throw error;
  }
  ready.resolve(apiServer.handle);
  const registries = { apiserver: apiServer.metrics, 'controller-manager': components.kcm, scheduler: components.ksh };
  const admin = apiServer.loopback(adminUser);
  const manager = startControllers(options, apiServer, registries['controller-manager']);
  const scheduler = await startScheduler(options, apiServer, registries.scheduler);
  if (options.volumes) await ensureStorageClass(admin);
  const nodeWatches = createInformers(admin, { clock, random, log: options.logOf('kubelet') });
  const serviceInformer = nodeWatches.informer(services);
  serviceInformer.addIndex('namespace', (service: Service) => [service.metadata.namespace!]);

  return {
    admin,
    apiServer,
    port,
    kubelets,
    client: apiServer.loopback,
    async addNode({ node, ...rest }) {
      nodeWatches.start();
      const client = apiServer.loopback({ name: `system:node:${node.name}`, groups: ['system:nodes', 'system:authenticated'] });
      const shared = { clock, random, log: options.logOf('kubelet'), client };
      const kubelet = await createKubelet({
        ...shared,
        ...rest,
        node,
        services: (namespace) => serviceInformer.byIndex('namespace', namespace),
      });
      kubelets.set(node.name, kubelet);
      try {
        await kubelet.start();
      } catch (error) {
        kubelets.delete(node.name);
        await kubelet.stop();
        throw error;
      }
      return kubelet;
    },
    async removeNode(name, { forget } = { forget: false }) {
      await kubelets.get(name)?.stop();
      kubelets.delete(name);
      if (forget) await admin.delete(nodeResource, { name }).catch(unlessNotFound);
    },
    metrics: (component) => registries[component].metrics(),
    async stop() {
      await Promise.all([...kubelets.values()].map((kubelet) => kubelet.stop()));
      nodeWatches.stop();
      await Promise.all([manager.stop(), scheduler.stop()]);
      await http?.close();
      await apiServer.stop();
    },
  };
}

function assemblyOf(
  options: ClusterOptions,
  { port, ...surroundings }: Pick<AssemblyOptions, 'kubelets' | 'components'> & { port: number | undefined },
): AssemblyOptions {
  const { listen: listening, serviceCidr = defaultServiceCidr } = options;
  const advertise = listening?.advertise ?? (listening && { address: listening.host, port: port! });
  return {
    ...options,
    ...surroundings,
    address: () => `${listening?.host ?? '127.0.0.1'}:${port ?? 0}`,
    log: options.logOf('apiserver'),
    gitVersion,
    serviceCidr,
    ...(advertise && { advertise }),
  };
}

async function listen(listening: Listening, handler: HttpHandler, options: ClusterOptions): Promise<HttpServer> {
  const { clock, random } = options;
  const addresses = [...listening.addresses, firstAddressOf(options.serviceCidr ?? defaultServiceCidr)];
  const pair = await issueServerCertificate(listening.identity, { clock, random }, addresses);
  return serveTls({
    handler,
    host: listening.host,
    port: listening.port,
    log: options.logOf('apiserver'),
    clock,
    key: pair.key,
    cert: pair.certificate,
    clientCa: listening.identity.authority.certificate,
  });
}

function startControllers(options: ClusterOptions, apiServer: ApiServer, registry: Registry): ControllerManager {
  const { clock, random, volumes, rootCa, listen: listening } = options;
  const sign: SignRequest | undefined =
    listening && ((request, wanted) => signRequest(listening.identity.authority, request, { clock, random, ...wanted }));
  return startControllerManager({
    client: apiServer.loopback({ name: 'system:kube-controller-manager', groups: ['system:authenticated'] }),
    clientFor: (account) => apiServer.loopback(serviceAccountUser('kube-system', account)),
    controllers: [...controllers, ...(sign ? [certificateSigning(sign)] : []), ...(volumes ? [localVolumeProvisioner(volumes)] : [])],
    clock,
    random,
    log: options.logOf('controller-manager'),
    registry,
    resources: apiServer.resources.map(({ type }) => type as ResourceType),
    rootCa,
  });
}

async function startScheduler(options: ClusterOptions, apiServer: ApiServer, metrics: Registry): Promise<{ stop(): Promise<void> }> {
  const { clock, random } = options;
  const log = options.logOf('scheduler');
  const client = apiServer.loopback({ name: 'system:kube-scheduler', groups: ['system:authenticated'] });
  const informers: Informers = createInformers(client, { clock, random, log });
  const events = createEventRecorder({ client, clock, log, component: 'default-scheduler' });
  const scheduler: Scheduler = createScheduler({ client, informers, clock, random, log, events, metrics });
  informers.start();
  await scheduler.start();
  return {
    async stop() {
      await scheduler.stop();
      events.stop();
      informers.stop();
    },
  };
}

async function ensureStorageClass(admin: Client): Promise<void> {
  await admin.create(storageclasses, localStorageClass).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

function serviceAccountUser(namespace: string, name: string): UserInfo {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  return { name: `system:serviceaccount:${namespace}:${name}`, groups };
}

function unlessNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
