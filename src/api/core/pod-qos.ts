// The quality of service of a pod, from its requests and limits: it decides who goes first when a node runs short.
import type { Pod, PodSpec } from '#api/generated/core-v1.ts';
import { addQuantities, compareQuantities, isZeroQuantity, type Quantity } from '#api/meta/quantity.ts';

type Amounts = Map<string, string | Quantity>;

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

export function qosClassOf(pod: Pod): QosClass {
  const requests: Amounts = new Map();
  const limits: Amounts = new Map();
  const everyLimitSet = collect(pod.spec, requests, limits);
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const equal = [...requests].every(([name, amount]) => limits.has(name) && compareQuantities(amount, limits.get(name)!) === 0);
  return everyLimitSet && equal && requests.size === limits.size ? 'Guaranteed' : 'Burstable';
}

/** Answers whether everyone has limits of both CPU and memory. Resources of the pod itself replace those of its containers. */
function collect(spec: PodSpec, requests: Amounts, limits: Amounts): boolean {
  const holders =
    spec.resources?.limits || spec.resources?.requests
      ? [{ resources: spec.resources }]
      : [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  let everyLimitSet = true;
  for (const { resources = {} } of holders) {
    addTo(requests, resources.requests);
    const set = addTo(limits, resources.limits);
    if (set.size < 2) everyLimitSet = false;
  }
  return everyLimitSet;
}

function addTo(sums: Amounts, amounts: Record<string, string> | undefined): Set<string> {
  const set = new Set<string>();
  for (const name of ['cpu', 'memory']) {
    const amount = amounts?.[name];
    if (amount === undefined || isZeroQuantity(amount)) continue;
    set.add(name);
    const sum = sums.get(name);
    sums.set(name, sum === undefined ? amount : addQuantities(sum, amount));
  }
  return set;
}
