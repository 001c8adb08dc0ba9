// Pods against quotas: their number, and what they ask for until they have ended.
import type { Container, Pod, ScopedResourceSelectorRequirement } from '#api/generated/core-v1.ts';
import { isSidecar } from '#api/core/pod-requests.ts';
import { qosClassOf } from '#api/core/pod-qos.ts';
import { isPodTerminal } from '#api/core/pod-state.ts';
import type { QuantityMap } from '#api/core/quantities.ts';
import { addQuantityMaps, maxQuantityMaps } from '#api/core/quantities.ts';
import type { QuotaEvaluator } from './evaluator.ts';
import { matchesRequirement } from './scopes.ts';

const names: ReadonlySet<string> = new Set([
  'count/pods',
  'pods',
  ...['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
]);
/** Whoever counts these wants every container to say how much. */
const mustBeSaid = ['cpu', 'limits.cpu', 'limits.memory', 'memory', 'requests.cpu', 'requests.memory'];

export const podEvaluator: QuotaEvaluator<Pod> = {
  counts: (name) => names.has(name) || /^(requests\.)?hugepages-/.test(name) || isExtended(name),
  usageOf(pod, nowMs) {
    if (isOver(pod, nowMs)) return { 'count/pods': '1' };
    return { 'count/pods': '1', pods: '1', ...counted(wholeOf(pod, 'requests'), wholeOf(pod, 'limits')) };
  },
  isInScope,
  refusal: whatIsNotSaid,
};

function isExtended(name: string): boolean {
  return name.startsWith('requests.') && name.includes('/') && !name.includes('.storageclass.storage.k8s.io/');
}

/** Ended, or past its grace without anyone left to say so. */
function isOver(pod: Pod, nowMs: number): boolean {
  if (isPodTerminal(pod)) return true;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return false;
  return nowMs > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function wholeOf({ spec }: Pod, part: 'requests' | 'limits'): QuantityMap {
  const of = (container: Container): QuantityMap => container.resources?.[part] ?? {};
  let sidecars: QuantityMap = {};
  let startup: QuantityMap = {};
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) sidecars = addQuantityMaps(sidecars, of(container));
    startup = maxQuantityMaps(startup, isSidecar(container) ? sidecars : addQuantityMaps(sidecars, of(container)));
  }
  const running = (spec.containers ?? []).reduce((sum, container) => addQuantityMaps(sum, of(container)), sidecars);
  const whole = { ...maxQuantityMaps(running, startup), ...spec.resources?.[part] };
  // Overhead raises only the limits that there are.
  const overhead = Object.entries(spec.overhead ?? {}).filter(([name]) => part === 'requests' || whole[name] !== undefined);
  return addQuantityMaps(whole, Object.fromEntries(overhead));
}

/** By the names that quotas use. */
function counted(requests: QuantityMap, limits: QuantityMap): QuantityMap {
  const usage: Record<string, QuantityMap[string]> = {};
  for (const [name, amount] of Object.entries(requests)) {
    usage[`requests.${name}`] = amount;
    if (!name.includes('/')) usage[name] = amount;
  }
  for (const name of ['cpu', 'memory', 'ephemeral-storage']) if (limits[name] !== undefined) usage[`limits.${name}`] = limits[name];
  return usage;
}

function isInScope(pod: Pod, scope: ScopedResourceSelectorRequirement): boolean {
  const { spec } = pod;
  switch (scope.scopeName) {
    case 'Terminating':
      return (spec.activeDeadlineSeconds ?? -1) >= 0;
    case 'NotTerminating':
      return (spec.activeDeadlineSeconds ?? -1) < 0;
    case 'BestEffort':
      return qosClassOf(pod) === 'BestEffort';
    case 'NotBestEffort':
      return qosClassOf(pod) !== 'BestEffort';
    case 'PriorityClass':
      return matchesRequirement(scope, new Set(spec.priorityClassName ? [spec.priorityClassName] : []));
    case 'CrossNamespacePodAffinity':
      return hasCrossNamespaceAffinity(pod);
    default:
      return false;
  }
}

function hasCrossNamespaceAffinity({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  const terms = [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
  return terms.some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined);
}

function whatIsNotSaid({ spec }: Pod, quotaNames: readonly string[]): string | undefined {
  if (spec.resources?.requests || spec.resources?.limits) return undefined;
  const wanted = mustBeSaid.filter((name) => quotaNames.includes(name));
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const missing = wanted.flatMap((name) => {
    const silent = containers.filter(({ resources }) => counted(resources?.requests ?? {}, resources?.limits ?? {})[name] === undefined);
    return silent.length === 0 ? [] : [`${name} for: ${[...new Set(silent.map((container) => container.name))].sort().join(',')}`];
  });
  return missing.length === 0 ? undefined : `must specify ${missing.join('; ')}`;
}
