// Cluster DNS: the zone over informers behind a server, and the kube-dns Service that leads pods to it.
// There are no CoreDNS pods: the Service has no selector, its endpoint is the daemon. docs/decisions/0008-cluster-dns.md
import { namespaces, endpointslices, services } from '#api/generated/resources.ts';
import type { Service } from '#api/generated/core-v1.ts';
import type { EndpointSlice } from '#api/generated/discovery-v1.ts';
import { isNotFound } from '#api/meta/errors.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { copyOf } from '#api/meta/object.ts';
import type { Client } from '#client/client.ts';
import type { Informers } from '#client/informer.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { respond } from './respond.ts';
import type { DnsServer } from './server.ts';
import { listenDns } from './server.ts';
import { createForwarder, readResolvers } from './upstream.ts';
import type { ZoneView } from './zone.ts';

export interface ClusterDnsOptions {
  informers: Informers;
  /** Where to listen: the gateway of the cluster's subnet. */
  address: string;
  /** Default `dnsPort`; another one is taken when it is in use. */
  port?: number;
  domain?: string;
  /** Nameservers outside; by default the host's. */
  resolvers?: string[];
  clock: Clock;
  random: Random;
  log: Log;
}

/** Not 53, which resolvers of the host like to take on every address. Pods use 53 of the service address. */
export const dnsPort = 10053;

/** The informers must run. Listens once they know the cluster: before, every name would be denied. */
export async function startClusterDns(options: ClusterDnsOptions): Promise<DnsServer> {
  const { informers } = options;
  const view = zoneView(informers, options.domain ?? 'cluster.local');
  await Promise.all(
    [services, endpointslices, namespaces].map((resource) => informers.informer<KubeObject>(resource as ResourceType).synced),
  );
  const forward = createForwarder(options.resolvers ?? (await readResolvers()), options.clock);
  return listenDns({
    address: options.address,
    port: options.port ?? dnsPort,
    respond: (query, transport) => respond({ view, random: options.random, forward }, query, transport),
    log: options.log,
  });
}

function zoneView(informers: Informers, domain: string): ZoneView {
  const serviceInformer = informers.informer(services);
  const sliceInformer = informers.informer(endpointslices);
  const namespaceInformer = informers.informer(namespaces);
  serviceInformer.addIndex('dns.address', ({ spec }) => (spec.clusterIPs ?? []).filter((address) => address !== 'None'));
  sliceInformer.addIndex('dns.service', ({ metadata }) => [
    `${metadata.namespace}/${metadata.labels?.['kubernetes.io/service-name'] ?? ''}`,
  ]);
  sliceInformer.addIndex('dns.address', ({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses));
  return {
    domain,
    service: (namespace, name) => serviceInformer.get(`${namespace}/${name}`),
    hasNamespace: (namespace) => namespaceInformer.get(namespace) !== undefined,
    slices: (namespace, service) => sliceInformer.byIndex('dns.service', `${namespace}/${service}`),
    servicesAt: (address) => serviceInformer.byIndex('dns.address', address),
    slicesAt: (address) => sliceInformer.byIndex('dns.address', address),
  };
}

/** Makes or mends the kube-dns Service and its endpoint. Idempotent. */
export async function publishClusterDns(client: Client, at: { clusterIP: string; address: string; port: number }): Promise<void> {
  const service: Service = {
    metadata: {
      name: 'kube-dns',
      namespace: 'kube-system',
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
    },
    spec: {
      clusterIP: at.clusterIP,
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53, targetPort: at.port },
        { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: at.port },
      ],
    },
  };
  // Looked for first: creating it again would be refused for its address, before its name is.
  const known = await client.get(services, { namespace: 'kube-system', name: 'kube-dns' }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (known === undefined) await client.create(services, service);
  const slice: EndpointSlice = {
    metadata: {
      name: 'kube-dns-keks',
      namespace: 'kube-system',
      labels: { 'kubernetes.io/service-name': 'kube-dns', 'endpointslice.kubernetes.io/managed-by': 'keks', 'k8s-app': 'kube-dns' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [at.address], conditions: { ready: true, serving: true, terminating: false } }],
    ports: [
      { name: 'dns', protocol: 'UDP', port: at.port },
      { name: 'dns-tcp', protocol: 'TCP', port: at.port },
    ],
  };
  const present = await unlessMissing(client.get(endpointslices, { namespace: 'kube-system', name: 'kube-dns-keks' }));
  if (present === undefined) await client.create(endpointslices, slice);
  else if (JSON.stringify([present.endpoints, present.ports]) !== JSON.stringify([slice.endpoints, slice.ports])) {
    await client.update(endpointslices, { ...copyOf(present), endpoints: slice.endpoints!, ports: slice.ports! });
  }
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  return found.catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
}
