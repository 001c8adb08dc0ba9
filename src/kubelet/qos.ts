// A pod's quality of service, from the cpu and memory that its containers ask for.
import type { Pod } from '#api/generated/core-v1.ts';
import { amountOf } from './quantity.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const computed = ['cpu', 'memory'] as const;

export function qosClass(pod: Pod): QosClass {
  const podLevel = pod.spec.resources;
  const sources =
    podLevel?.requests || podLevel?.limits
      ? [podLevel]
      : [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((c) => c.resources);
  let asks = false;
  let guaranteed = true;
  for (const resources of sources) {
    for (const name of computed) {
      const request = amountOf(resources?.requests?.[name]);
      const limit = amountOf(resources?.limits?.[name]);
      if (request > 0 || limit > 0) asks = true;
      if (limit === 0 || (request !== 0 && request !== limit)) guaranteed = false;
    }
  }
  if (!asks) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
