// Requests and limits as the runtime wants them: cgroup shares, quota, memory, out-of-memory score and cgroup paths.
import type { Container, Pod } from '#api/generated/core-v1.ts';
import { isSidecar } from '#api/core/pod-requests.ts';
import type { ContainerConfig } from './runtime/runtime.ts';
import { qosClassOf } from '#api/core/pod-qos.ts';
import { milliValueOf, valueOf } from '#api/meta/quantity.ts';

const periodUs = 100_000;
const minShares = 2;
const maxShares = 262_144;
const minQuotaUs = 1000;

export function containerResources(pod: Pod, container: Container, nodeMemoryBytes: number): ContainerConfig['resources'] {
  const { requests, limits } = container.resources ?? {};
  // Without a request the limit counts as one; without either the least share.
  const cpuMilli = milliValueOf(requests?.cpu ?? limits?.cpu);
  const limitMilli = milliValueOf(limits?.cpu);
  const memoryLimitBytes = valueOf(limits?.memory);
  const memoryRequestBytes = valueOf(requests?.memory ?? limits?.memory);
  return {
    cpuShares: sharesOf(cpuMilli),
    ...(limitMilli > 0 && { cpuPeriodUs: periodUs, cpuQuotaUs: Math.max(minQuotaUs, Math.floor((limitMilli * periodUs) / 1000)) }),
    ...(memoryLimitBytes > 0 && { memoryLimitBytes }),
    oomScoreAdj: oomScoreAdj(pod, container, nodeMemoryBytes),
    ...(memoryRequestBytes > 0 && { memoryRequestBytes }),
  };
}

function sharesOf(cpuMilli: number): number {
  return Math.min(maxShares, Math.max(minShares, Math.floor((cpuMilli * 1024) / 1000)));
}

/** Who dies first when memory runs out: best effort at 1000, guaranteed last, the rest by the share they asked for. */
function oomScoreAdj(pod: Pod, container: Container, nodeMemoryBytes: number): number {
  if (pod.spec.priorityClassName === 'system-node-critical') return -997;
  const qos = qosClassOf(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const request = valueOf(container.resources?.requests?.memory);
  let score = Math.floor(1000 - (1000 * request) / Math.max(1, nodeMemoryBytes));
  if (isSidecar(container)) {
    // A sidecar must not be killed before the containers it serves.
    const smallest = Math.min(...pod.spec.containers.map((main) => valueOf(main.resources?.requests?.memory)));
    score = Math.min(score, Math.floor(1000 - (1000 * smallest) / Math.max(1, nodeMemoryBytes)));
  }
  if (score < 3) return 3;
  return score === 1000 ? 999 : score;
}

/** `/kubepods/burstable/pod<uid>`; guaranteed pods stand directly below kubepods. */
export function cgroupParentOf(pod: Pod): string {
  const qos = qosClassOf(pod);
  const middle = qos === 'Guaranteed' ? '' : `/${qos.toLowerCase()}`;
  return `/kubepods${middle}/pod${pod.metadata.uid}`;
}
