// What a node of an instance type offers, and what of it the system keeps: nodeadm's kube-reserved formulas.
import type { InstanceType } from './pods-per-node.ts';
import { maxPodsOfManagedNode } from './pods-per-node.ts';

export interface NodeCapacity {
  cpuMillis: number;
  memoryBytes: number;
  ephemeralStorageBytes: number;
  pods: number;
  architecture: 'amd64' | 'arm64';
  /** Not allocatable to pods. */
  reserved: { cpuMillis: number; memoryBytes: number };
  /** The kubelet's hard eviction threshold, not allocatable either. */
  evictionMemoryBytes: number;
}

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;

export function capacityOf(type: InstanceType, diskGiB: number): NodeCapacity {
  return {
    cpuMillis: type.cpus * 1000,
    memoryBytes: type.memoryMiB * mebibyte,
    ephemeralStorageBytes: diskGiB * gibibyte,
    pods: maxPodsOfManagedNode(type),
    architecture: type.architecture,
    reserved: {
      cpuMillis: reservedCpuMillis(type.cpus),
      memoryBytes: (11 * maxPodsOfManagedNode(type) + 255) * mebibyte,
    },
    evictionMemoryBytes: 100 * mebibyte,
  };
}

/** 6 % of the first core, 1 % of the second, 0.5 % of the third and fourth, 0.25 % of each beyond. */
export function reservedCpuMillis(cpus: number): number {
  const share = (core: number): number => (core === 0 ? 60 : core === 1 ? 10 : core < 4 ? 5 : 2.5);
  let millis = 0;
  for (let core = 0; core < cpus; core++) millis += share(core);
  return Math.floor(millis);
}
