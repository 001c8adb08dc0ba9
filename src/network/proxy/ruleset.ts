// kube-proxy's decision: services and their endpoints as the chains and verdict maps of one nftables table. Pure; ./script.ts writes it down.
import { createHash } from 'node:crypto';
import type { Service, ServicePort } from '#api/generated/core-v1.ts';
import type { EndpointSlice } from '#api/generated/discovery-v1.ts';
import type { EndpointTarget, PortTargets } from './endpoints.ts';
import { groupSlices, isProxied, targetsOf } from './endpoints.ts';

export interface ProxyState {
  services: readonly Service[];
  endpointSlices: readonly EndpointSlice[];
  nodeName: string;
  /** Addresses on which node ports are answered. */
  nodeAddresses: readonly string[];
  /** The addresses of this node's own pods, as nftables writes a block or range: for traffic policies of type Local. */
  podRange: string;
  /** Whatever goes to it and has no service is refused. */
  serviceCidr: string;
}

export type MapName = 'service-ips' | 'service-nodeports' | 'no-endpoint-ips' | 'no-endpoint-nodeports';

export interface Ruleset {
  nodeAddresses: readonly string[];
  serviceCidr: string;
  /** Chain name → rules. */
  chains: Map<string, string[]>;
  /** Sets of clients that stick to an endpoint: name → seconds. */
  affinitySets: Map<string, number>;
  /** Element → verdict. */
  maps: Record<MapName, Map<string, string>>;
}

/** Marks what must leave with the node's own address, so that answers come back the same way; upstream's bit. */
const masqueradeMark = 'meta mark set meta mark or 0x4000';
const defaultAffinitySeconds = 10_800;

export function buildRuleset(state: ProxyState): Ruleset {
  const ruleset: Ruleset = {
    nodeAddresses: state.nodeAddresses,
    serviceCidr: state.serviceCidr,
    chains: new Map(),
    affinitySets: new Map(),
    maps: { 'service-ips': new Map(), 'service-nodeports': new Map(), 'no-endpoint-ips': new Map(), 'no-endpoint-nodeports': new Map() },
  };
  const slices = groupSlices(state.endpointSlices);
  for (const service of state.services) {
    if (!isProxied(service)) continue;
    const own = slices.get(`${service.metadata.namespace}/${service.metadata.name}`) ?? [];
    for (const port of service.spec.ports ?? []) addPort(ruleset, state, service, port, targetsOf(port, own, state.nodeName));
  }
  return ruleset;
}

function addPort(ruleset: Ruleset, state: ProxyState, service: Service, port: ServicePort, targets: PortTargets): void {
  const protocol = (port.protocol ?? 'TCP').toLowerCase();
  const { spec, status } = service;
  const external = {
    plain: spec.externalIPs ?? [],
    balanced:
      spec.type === 'LoadBalancer'
        ? (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) => (ip && ipMode !== 'Proxy' ? [ip] : []))
        : [],
    nodePort: spec.type === 'NodePort' || spec.type === 'LoadBalancer' ? port.nodePort : undefined,
  };
  const element = (address: string) => `${address} . ${protocol} . ${port.port}`;
  const clusterIPs = (spec.clusterIPs ?? [spec.clusterIP!]).filter((address) => !address.includes(':'));
  if (!targets.any) {
    for (const address of [...clusterIPs, ...external.plain, ...external.balanced])
      ruleset.maps['no-endpoint-ips'].set(element(address), 'goto reject-chain');
    if (external.nodePort) ruleset.maps['no-endpoint-nodeports'].set(`${protocol} . ${external.nodePort}`, 'goto reject-chain');
    return;
  }
  const chains = createChains(ruleset, state, service, port, targets);
  for (const address of clusterIPs) ruleset.maps['service-ips'].set(element(address), `goto ${chains.internal}`);
  if (external.plain.length + external.balanced.length === 0 && !external.nodePort) return;
  const outer = chains.external();
  for (const address of external.plain) ruleset.maps['service-ips'].set(element(address), `goto ${outer}`);
  for (const address of external.balanced) ruleset.maps['service-ips'].set(element(address), `goto ${chains.balanced(outer)}`);
  if (external.nodePort) ruleset.maps['service-nodeports'].set(`${protocol} . ${external.nodePort}`, `goto ${outer}`);
}

function createChains(ruleset: Ruleset, state: ProxyState, service: Service, port: ServicePort, targets: PortTargets) {
  const { spec } = service;
  const protocol = (port.protocol ?? 'TCP').toLowerCase();
  const label = `${service.metadata.namespace}/${service.metadata.name}/${protocol}/${port.name || port.port}`;
  const add = (kind: string, key: string, rules: string[]): string => {
    const name = chainName(kind, label, key);
    ruleset.chains.set(name, rules);
    return name;
  };
  const affinitySeconds =
    spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds) : undefined;

  const endpoint = ({ address, port: target }: EndpointTarget): { chain: string; affinitySet: string | undefined } => {
    const key = `${address}:${target}`;
    const affinitySet = affinitySeconds === undefined ? undefined : chainName('affinity', label, `${key}|${affinitySeconds}`);
    if (affinitySet !== undefined) ruleset.affinitySets.set(affinitySet, affinitySeconds!);
    const rules = [
      // A pod that reaches itself through its service must see an answer from the service.
      `ip saddr ${address} ${masqueradeMark}`,
      ...(affinitySet === undefined ? [] : [`update @${affinitySet} { ip saddr }`]),
      `meta l4proto ${protocol} dnat to ${key}`,
    ];
    return { chain: add('endpoint', key, rules), affinitySet };
  };
  const balance = (kind: string, chosen: EndpointTarget[]): string => {
    const endpoints = chosen.map(endpoint);
    const sticky = endpoints.flatMap(({ chain, affinitySet }) =>
      affinitySet === undefined ? [] : [`ip saddr @${affinitySet} goto ${chain}`],
    );
    const cases = endpoints.map(({ chain }, position) => `${position} : goto ${chain}`);
    const spread = cases.length === 0 ? 'drop' : `numgen random mod ${cases.length} vmap { ${cases.join(', ')} }`;
    return add(kind, '', [...sticky, spread]);
  };

  const cluster = () => balance('service', targets.cluster);
  return {
    internal: spec.internalTrafficPolicy === 'Local' ? balance('service-local', targets.local) : cluster(),
    external(): string {
      if (spec.externalTrafficPolicy !== 'Local') return add('external', '', [masqueradeMark, `goto ${cluster()}`]);
      return add('external', '', [
        // Pods and the node itself are inside: the policy is about clients from outside, whose addresses it preserves.
        `ip saddr ${state.podRange} goto ${cluster()}`,
        `fib saddr type local ${masqueradeMark}`,
        `fib saddr type local goto ${cluster()}`,
        `goto ${balance('external-local', targets.local)}`,
      ]);
    },
    balanced(outer: string): string {
      const ranges = (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()).filter((range) => !range.includes(':'));
      if (ranges.length === 0 || ranges.includes('0.0.0.0/0')) return outer;
      return add('firewall', '', [`ip saddr { ${ranges.join(', ')} } goto ${outer}`, 'drop']);
    },
  };
}

/** Readable in `nft list ruleset`, unique by its hash, within nftables' 128 characters. */
function chainName(kind: string, label: string, key: string): string {
  const hash = createHash('sha256').update(`${label}|${key}`).digest('hex').slice(0, 10);
  return `${kind}-${hash}-${label}`.slice(0, 120);
}
