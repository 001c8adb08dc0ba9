// What a pod's resolv.conf says, by its DNS policy; limits and order are upstream's.
import type { Pod } from '#api/generated/core-v1.ts';
import type { DnsSettings, KubeletContext } from './context.ts';

const maxServers = 3;
const maxSearches = 32;

type DnsContext = Pick<KubeletContext, 'clusterDns' | 'clusterDomain' | 'hostDns'>;

export function dnsOf(pod: Pod, context: DnsContext): DnsSettings {
  const base = baseOf(pod, context);
  const config = pod.spec.dnsConfig;
  const options = new Map(base.options.map((option) => [option.split(':')[0]!, option]));
  for (const { name, value } of config?.options ?? []) if (name) options.set(name, value === undefined ? name : `${name}:${value}`);
  return {
    servers: unique([...base.servers, ...(config?.nameservers ?? [])]).slice(0, maxServers),
    searches: unique([...base.searches, ...(config?.searches ?? [])]).slice(0, maxSearches),
    options: [...options.values()],
  };
}

function baseOf(pod: Pod, context: DnsContext): DnsSettings {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'None') return { servers: [], searches: [], options: [] };
  const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork);
  if (!cluster || context.clusterDns.length === 0) return context.hostDns;
  const { clusterDomain } = context;
  return {
    servers: [...context.clusterDns],
    searches: [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain, ...context.hostDns.searches],
    options: ['ndots:5'],
  };
}

function unique(values: string[]): string[] {
  return [...new Set(values)];
}
