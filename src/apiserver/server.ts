// One API server: the caches over the store, what is done with requests, and the loops that keep it in shape.
import type { Clock } from '#lib/clock.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import type { Authorizer, UserInfo } from '#api/meta/access.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import type { Client } from '#client/client.ts';
import type { Store } from '#store/store.ts';
import type { AdmissionPlugin } from './admission/plugin.ts';
import { createAdmissionChain } from './admission/plugin.ts';
import { certificateSigners } from './admission/certificate-signers.ts';
import { admissionOrder } from './admission/order.ts';
import { resourceQuotaAdmission } from './admission/resource-quota.ts';
import { chargeQuota } from './quota-charges.ts';
import type { BootstrapObject } from './bootstrap.ts';
import { writeBootstrapObjects } from './bootstrap.ts';
import { services } from '#api/generated/resources.ts';
import { createServiceAddresses, type ServiceAddresses } from './service-addresses/service-addresses.ts';
import type { DecodedValues } from './cache/world.ts';
import { createWorld } from './cache/world.ts';
import type { WriteHooks } from './endpoints/hooks.ts';
import { createLoopbackClient } from './loopback.ts';
import { withVirtualLists } from './loopback-virtual.ts';
import { startMaintenance } from './maintenance.ts';
import { createPipeline } from './pipeline.ts';
import type { DiscoveredResource } from './discovery/discovered-resource.ts';
import { advertisedResources } from './discovery/advertised.ts';
import { answeringStore } from './registry/answering-store.ts';
import type { ClusterView } from './registry/cluster-view.ts';
import { createClusterView } from './registry/cluster-view.ts';
import type { Core, TokenIssuer } from './registry/core.ts';
import { fieldIndexes } from './registry/field-indexes.ts';
import { createResourceSet } from './registry/resource-set.ts';
import type { ServedResource } from './registry/served-resource.ts';
import { serveVersions } from './registry/served-resource.ts';
import { bindingsResource } from './virtual-resources.ts';
import type { PathHandler } from './paths.ts';
import type { RequestContext } from './request.ts';
import type { ResourceRules } from './resources/resource.ts';

export type { PathHandler };

/** A resource that is answered, not stored: reviews, metrics. Objects are decoded and belong to the handler. */
export interface VirtualResource<T extends KubeObject = KubeObject> {
  readonly resource: ResourceType<T>;
  create?(object: T, context: RequestContext): Promise<T> | T;
  get?(context: RequestContext): Promise<T> | T;
  list?(context: RequestContext): Promise<T[]> | T[];
}

/** Answers a subresource that is a connection or a stream of its own, such as `pods/log`. The request is authorised and admitted. */
export type ConnectHandler = (request: HttpRequest, context: RequestContext) => Promise<HttpResponse>;

/** Who asks and what they may: made from the server's own view of the cluster. */
export interface Security {
  authenticate(request: HttpRequest): Promise<UserInfo>;
  authorize: Authorizer;
  issueToken?: TokenIssuer;
  /** Reviews of access and identity, and the paths that tell others how to check our tokens. */
  reviews?: readonly VirtualResource[];
  openid?: PathHandler;
  /** Plugins that need the authorizer; they run behind those of admission/order.ts. */
  admission?: readonly AdmissionPlugin[];
}

/** Told of every request from outside: when it is authenticated, and when it is answered. */
export interface AuditTrail {
  received(request: HttpRequest, context: RequestContext): AuditEntry;
}

export interface AuditEntry {
  /** By which the answer and the log name the request. */
  id?: string;
  completed(outcome: { status: number; error?: Error }): void;
}

export interface ApiServerOptions {
  store: Store;
  clock: Clock;
  random: Random;
  log: Log;
  /** The resources that are served; one without rules of its own is `{ resource }`. */
  rules: readonly ResourceRules[];
  security: (view: ClusterView) => Security;
  /** In place of those of admission/order.ts. */
  admission?: readonly AdmissionPlugin[];
  /** Written at the first start, and mended at every other. */
  bootstrap?: readonly BootstrapObject[];
  virtual?: (view: ClusterView) => readonly VirtualResource[];
  connect?: Readonly<Record<string, ConnectHandler>>;
  paths?: readonly PathHandler[];
  audit?: AuditTrail;
  /** CIDR of cluster IPs. Default 10.100.0.0/16, as EKS. */
  serviceCidr?: string;
  /** Shared with the server that this one's store was forked from. */
  decoded?: DecodedValues;
}

export interface ApiServer {
  handle: HttpHandler;
  /** A client for components of this process; `user` is who they are to authorisation. */
  loopback(user: UserInfo): Client;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The revision up to which this server knows the store. */
  readonly revision: number;
  readonly view: ClusterView;
  /** In their storage versions. */
  readonly resources: readonly ServedResource[];
  /** For discovery and OpenAPI. */
  readonly discovered: readonly DiscoveredResource[];
  readonly watcherCount: number;
}

/** EKS' own. */
export const defaultServiceCidr = '10.100.0.0/16';

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { clock, random, log } = options;
  const store = answeringStore(options.store);
  const resources = createResourceSet(options.rules.flatMap(serveVersions));
  const world = createWorld({ store, clock, log, ...(options.decoded && { decoded: options.decoded }) });
  for (const resource of resources.all) {
    world.addResource({ prefix: resource.prefix, namespaced: resource.type.namespaced, indexes: fieldIndexes(resource) });
  }
  const view = createClusterView(clock, world, resources);
  const security = options.security(view);
  const addresses = createServiceAddresses({ cidr: options.serviceCidr ?? defaultServiceCidr, random });
  const plugins = [
    ...(options.admission ?? admissionOrder),
    certificateSigners(security.authorize),
    ...(security.admission ?? []),
    // Last: what any other plugin refuses must not be charged.
    resourceQuotaAdmission((quota, change) => chargeQuota(core, quota, change)),
  ];
  const core: Core = {
    store,
    world,
    clock,
    random,
    log,
    resources,
    view,
    admission: createAdmissionChain(plugins, { clock, random, view }),
    authorize: security.authorize,
    hooks: new Map([['/registry/services/specs/', addresses.hooks as WriteHooks]]),
    issueToken: security.issueToken,
  };
  const virtual = [bindingsResource(core), ...(security.reviews ?? []), ...(options.virtual?.(view) ?? [])];
  const loopback = (user: UserInfo) => withVirtualLists(createLoopbackClient(core, user), core, user, virtual);
  const paths = [...(options.paths ?? []), ...(security.openid ? [security.openid] : [])];
  const stopping: (() => void)[] = [];
  return {
    handle: createPipeline(core, security, { ...options, virtual, paths }),
    loopback,
    view,
    resources: resources.all.filter((resource) => resource.storage === resource),
    discovered: advertisedResources(resources.all, virtual, options.connect ?? {}),
    get revision() {
      return world.revision;
    },
    get watcherCount() {
      return world.watcherCount;
    },
    async start() {
      await world.start();
      await writeBootstrapObjects(core, options.bootstrap ?? []);
      stopping.push(startMaintenance(core), followServices(core, addresses));
    },
    async stop() {
      for (const stop of stopping.splice(0)) stop();
      world.stop();
    },
  };
}

function followServices(core: Core, addresses: ServiceAddresses): () => void {
  const resource = core.resources.find(services.group, services.version, services.plural);
  if (resource !== undefined) addresses.start(core.world.cache(resource.prefix), core.world.revision);
  return () => addresses.stop();
}
