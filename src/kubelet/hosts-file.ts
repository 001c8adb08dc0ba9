// The /etc/hosts that a pod's containers share: the pod's own name and addresses, and its host aliases.
import type { Pod } from '#api/generated/core-v1.ts';
import { hostnameOf } from './identity.ts';

/** For pods on the host's network `hostFile` is what the host has. */
export function hostsFile(pod: Pod, addresses: { podIps: readonly string[]; clusterDomain: string; hostFile: string }): string {
  const aliases = aliasLines(pod);
  if (pod.spec.hostNetwork) return `# Kubernetes-managed hosts file (host network).\n${addresses.hostFile}${aliases}`;
  const host = hostnameOf(pod);
  const domain = pod.spec.subdomain ? `${host}.${pod.spec.subdomain}.${pod.metadata.namespace}.svc.${addresses.clusterDomain}` : '';
  const own = addresses.podIps.map((ip) => `${ip}\t${domain === '' ? host : `${domain}\t${host}`}\n`).join('');
  return [
    '# Kubernetes-managed hosts file.\n',
    '127.0.0.1\tlocalhost\n',
    '::1\tlocalhost ip6-localhost ip6-loopback\n',
    'fe00::0\tip6-localnet\n',
    'fe00::0\tip6-mcastprefix\n',
    'fe00::1\tip6-allnodes\n',
    'fe00::2\tip6-allrouters\n',
    own,
    aliases,
  ].join('');
}

function aliasLines(pod: Pod): string {
  const aliases = pod.spec.hostAliases ?? [];
  if (aliases.length === 0) return '';
  const lines = aliases.map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}
