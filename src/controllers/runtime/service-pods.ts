// Services and the pods behind them, found in both directions by label indexes instead of walking namespaces.
import { isSidecar } from '#api/core/pod-requests.ts';
import type { Pod, Service, ServicePort } from '#api/generated/core-v1.ts';
import { keyOf } from '#api/meta/object.ts';
import type { Informer } from '#client/informer.ts';
import type { IndexFunction } from '#client/object-cache.ts';
import { saysTheSame } from './equality.ts';
import { byLabel, labelIndex, labelValue } from './indexes.ts';
import { isPodReady, isPodTerminal, podCondition } from '#api/core/pod-state.ts';

export const headlessLabel = 'service.kubernetes.io/headless';
export const lastTriggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

const bySelector = 'selector';

/** A service stands under the first pair of its selector: a pod that it selects has that label. */
const selectorIndex: IndexFunction<Service> = (service) => {
  const first = pairsOf(service)[0];
  return first === undefined ? [] : [labelValue(service.metadata.namespace!, ...first)];
};

export interface ServicePods {
  podsOf(service: Service): Pod[];
  /** Calls `enqueue` with the key of every service whose endpoints a change may concern. */
  watch(enqueue: (serviceKey: string) => void): () => void;
}

export function createServicePods(services: Informer<Service>, pods: Informer<Pod>): ServicePods {
  services.addIndex(bySelector, selectorIndex);
  pods.addIndex(byLabel, labelIndex);

  const keysOf = (pod: Pod): string[] => {
    const { namespace, labels = {} } = pod.metadata;
    return Object.entries(labels)
      .flatMap(([key, value]) => services.byIndex(bySelector, labelValue(namespace!, key, value)))
      .filter((service) => pairsOf(service).every(([key, value]) => labels[key] === value))
      .map(keyOf);
  };
  return {
    podsOf(service) {
      const pairs = pairsOf(service);
      const values = pairs.map(([key, value]) => labelValue(service.metadata.namespace!, key, value));
      let rarest = values[0];
      if (rarest === undefined) return [];
      for (const value of values) if (pods.countByIndex(byLabel, value) < pods.countByIndex(byLabel, rarest)) rarest = value;
      return pods.byIndex(byLabel, rarest).filter((pod) => pairs.every(([key, value]) => pod.metadata.labels?.[key] === value));
    },
    watch(enqueue) {
      const enqueueAll = (pod: Pod): void => keysOf(pod).forEach(enqueue);
      const removals = [
        services.addHandlers({
          added: (service) => enqueue(keyOf(service)),
          updated: (_old, service) => enqueue(keyOf(service)),
          deleted: (service) => enqueue(keyOf(service)),
        }),
        pods.addHandlers({
          added: enqueueAll,
          updated(old, pod) {
            const isRelabelled = !saysTheSame(old.metadata.labels, pod.metadata.labels);
            if (!isRelabelled && !concernsEndpoints(old, pod)) return;
            new Set([...(isRelabelled ? keysOf(old) : []), ...keysOf(pod)]).forEach(enqueue);
          },
          deleted: enqueueAll,
        }),
      ];
      return () => removals.forEach((remove) => remove());
    },
  };
}

function pairsOf(service: Service): [string, string][] {
  return Object.entries(service.spec.selector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function concernsEndpoints(old: Pod, pod: Pod): boolean {
  return (
    isPodReady(old) !== isPodReady(pod) ||
    isPodTerminal(old) !== isPodTerminal(pod) ||
    old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    old.spec.nodeName !== pod.spec.nodeName ||
    old.spec.hostname !== pod.spec.hostname ||
    old.spec.subdomain !== pod.spec.subdomain ||
    !saysTheSame(addressesOf(old), addressesOf(pod))
  );
}

export function addressesOf(pod: Pod): string[] {
  const ips = (pod.status?.podIPs ?? []).map(({ ip }) => ip!).filter(Boolean);
  return ips.length > 0 ? ips : pod.status?.podIP ? [pod.status.podIP] : [];
}

export function isIpv6(address: string): boolean {
  return address.includes(':');
}

export function isHeadless(service: Service): boolean {
  return service.spec.clusterIP === 'None';
}

/** The pod's name within the service's domain, for those that ask for one. */
export function hostnameIn(service: Service, pod: Pod): string | undefined {
  const { hostname, subdomain } = pod.spec;
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}

/** The number of the pod's port that a service port leads to; undefined where the pod has none of the name. */
export function targetPortOf(pod: Pod, { targetPort, port, protocol = 'TCP' }: ServicePort): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === '') return port;
  if (typeof targetPort === 'number') return targetPort;
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  for (const container of [...(pod.spec.containers ?? []), ...sidecars]) {
    const found = container.ports?.find((candidate) => candidate.name === targetPort && (candidate.protocol ?? 'TCP') === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

/** When the youngest cause of the current endpoints came about: what upstream's programming latency is measured from. */
export function lastTriggerTime(service: Service, pods: readonly Pod[]): string | undefined {
  let latest = service.metadata.creationTimestamp;
  for (const pod of pods) {
    const time = podCondition(pod, 'Ready')?.lastTransitionTime ?? pod.metadata.creationTimestamp;
    if (time !== undefined && (latest === undefined || time > latest)) latest = time;
  }
  return latest;
}
