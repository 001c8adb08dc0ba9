// The names of everything a home leaves on its machine. All of them begin with the home's id, so that two homes never meet
// and one home's things can be found and removed whoever made them.
import { createHash } from 'node:crypto';

export interface HomeNames {
  id: string;
  /** Links of the root namespace: `keks<id><cluster>`, at most 15 characters as the kernel wants. */
  linkPrefix: string;
  /** Network namespaces and CNI networks. */
  namespacePrefix: string;
  /** nftables tables of the root namespace. */
  tablePrefix: string;
  /** Sockets and run-time state: short, as a socket's path has at most 107 bytes. */
  runDirectory: string;
  /** Below every cgroup controller. */
  cgroup: string;
}

/** `home` is an absolute path without symbolic links. */
export function homeNames(home: string): HomeNames {
  const id = shortHash(home, 6);
  return {
    id,
    linkPrefix: `keks${id}`,
    namespacePrefix: `keks-${id}-`,
    tablePrefix: `keks_${id}_`,
    runDirectory: `/run/keks-${id}`,
    cgroup: `/keks-${id}`,
  };
}

export interface ClusterNames {
  id: string;
  /** The host's end of the cable into the subnet. */
  link: string;
  /** The namespace that holds the subnet's switch. */
  fabric: string;
  table: string;
}

export function clusterNames(home: HomeNames, cluster: string): ClusterNames {
  const id = shortHash(cluster, 5);
  return { id, link: `${home.linkPrefix}${id}`, fabric: `${home.namespacePrefix}${id}-vpc`, table: `${home.tablePrefix}${id}` };
}

export interface MachineNames {
  namespace: string;
  /** The switch's end of the machine's cable, inside the fabric. */
  port: string;
  runDirectory: string;
  cgroup: string;
  cniNetwork: string;
}

export function machineNames(home: HomeNames, cluster: ClusterNames, machine: string): MachineNames {
  const id = shortHash(machine, 6);
  return {
    namespace: `${home.namespacePrefix}${cluster.id}-${machine}`,
    port: `port${id}`,
    runDirectory: `${home.runDirectory}/${cluster.id}-${id}`,
    cgroup: `${home.cgroup}/${cluster.id}-${id}`,
    cniNetwork: `${home.namespacePrefix}${cluster.id}-${id}`,
  };
}

export const namespacePath = (namespace: string): string => `/run/netns/${namespace}`;

/** Locally administered and decided by the address: a machine that is made again is not a stranger to its neighbours. */
export function macOf(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', '6b', ...bytes].join(':');
}

export function shortHash(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
