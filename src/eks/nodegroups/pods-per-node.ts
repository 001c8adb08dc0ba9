// How many pods an instance type holds when every pod has an address of the VPC: ENIs × (addresses per ENI − 1) + 2.
import table from '#eks/generated/instance-types.json' with { type: 'json' };

export interface InstanceType {
  name: string;
  enis: number;
  addressesPerEni: number;
  /** 0: not known. */
  cpus: number;
  /** 0: not known. */
  memoryMiB: number;
  architecture: 'amd64' | 'arm64';
}

const rows = table as unknown as Readonly<Record<string, [number, number, number, number, 'amd64' | 'arm64']>>;

export function instanceTypeOf(name: string): InstanceType | undefined {
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
  if (row === undefined) return undefined;
  const [enis, addressesPerEni, cpus, memoryMiB, architecture] = row;
  return { name, enis, addressesPerEni, cpus, memoryMiB, architecture };
}

/** The first address of an ENI is its own; two pods (CNI, kube-proxy) use the host's network. */
export function maxPodsByAddresses(type: InstanceType): number {
  return type.enis * (type.addressesPerEni - 1) + 2;
}

/** Managed node groups cap the formula: 110 below 30 vCPUs, else 250 (user guide, create-managed-node-group). */
export function maxPodsOfManagedNode(type: InstanceType): number {
  return Math.min(maxPodsByAddresses(type), type.cpus < 30 ? 110 : 250);
}
