// metrics.k8s.io: what nodes and pods use, for `kubectl top`. The part that upstream leaves to a metrics server beside the cluster.
import type { NodeMetrics, PodMetrics } from '#api/generated/metrics-v1beta1.ts';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { ClusterRole } from '#api/generated/rbac-v1.ts';
import { clusterroles, nodeMetrics, nodes, podMetrics, pods } from '#api/generated/resources.ts';
import { notFound } from '#api/meta/errors.ts';
import type { ResourceType } from '#api/meta/object.ts';
import { keyOf } from '#api/meta/object.ts';
import { parseLabelSelector } from '#api/meta/label-selector.ts';
import { toTime } from '#lib/clock.ts';
import type { BootstrapObject } from '../bootstrap.ts';
import type { ClusterView } from '../registry/cluster-view.ts';
import type { RequestContext } from '../request.ts';
import type { VirtualResource } from '../server.ts';
import type { NodeUsage, Usage, UsageCollector } from './collector.ts';

export function resourceMetrics(view: ClusterView, collector: UsageCollector): VirtualResource[] {
  return [nodeMetricsResource(view, collector), podMetricsResource(view, collector)] as VirtualResource[];
}

/** Whoever may view a namespace may see what its pods use. */
export function metricsReaderRole(): BootstrapObject {
  const labels = Object.fromEntries(['admin', 'edit', 'view'].map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true']));
  const object: ClusterRole = {
    metadata: { name: 'system:aggregated-metrics-reader', labels },
    rules: [{ apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
  };
  return { type: clusterroles as ResourceType, object };
}

function nodeMetricsResource(view: ClusterView, collector: UsageCollector): VirtualResource<NodeMetrics> {
  const metricsOf = async (node: Node): Promise<NodeMetrics[]> => {
    const usage = await collector.usageOf(node.metadata.name!);
    if (usage === undefined) return [];
    const { name, labels = {} } = node.metadata;
    return [
      {
        kind: 'NodeMetrics',
        apiVersion: 'metrics.k8s.io/v1beta1',
        metadata: metadata({ name: name!, labels }, usage),
        ...when(usage),
        usage: amounts(usage),
      },
    ];
  };
  return {
    resource: nodeMetrics,
    async get({ info }) {
      const node = view.cached(nodes, { name: info.name });
      const [metrics] = node === undefined ? [] : await metricsOf(node);
      if (metrics === undefined) throw notFound(nodeMetrics, info.name);
      return metrics;
    },
    list: async (context) => (await Promise.all(view.cachedList(nodes).filter(selectedBy(context)).map(metricsOf))).flat(),
  };
}

function podMetricsResource(view: ClusterView, collector: UsageCollector): VirtualResource<PodMetrics> {
  const metricsOf = async (pod: Pod): Promise<PodMetrics[]> => {
    if (!pod.spec.nodeName || pod.status?.phase !== 'Running') return [];
    const usage = await collector.usageOf(pod.spec.nodeName);
    const containers = usage?.pods.get(keyOf(pod));
    if (usage === undefined || containers === undefined) return [];
    const { name, namespace, labels = {} } = pod.metadata;
    return [
      {
        kind: 'PodMetrics',
        apiVersion: 'metrics.k8s.io/v1beta1',
        metadata: metadata({ name: name!, namespace: namespace!, labels }, usage),
        ...when(usage),
        containers: [...containers].map(([container, used]) => ({ name: container, usage: amounts(used) })),
      },
    ];
  };
  return {
    resource: podMetrics,
    async get({ info }) {
      const pod = view.cached(pods, { namespace: info.namespace, name: info.name });
      const [metrics] = pod === undefined ? [] : await metricsOf(pod);
      if (metrics === undefined) throw notFound(podMetrics, `${info.namespace}/${info.name}`);
      return metrics;
    },
    list: async (context) => {
      const candidates = view.cachedList(pods, context.info.namespace || undefined).filter(selectedBy(context));
      return (await Promise.all(candidates.map(metricsOf))).flat();
    },
  };
}

function selectedBy({ query }: RequestContext): (object: Node | Pod) => boolean {
  const selector = parseLabelSelector(query.get('labelSelector') ?? '');
  return (object) => selector.matches(object.metadata.labels);
}

function metadata<T extends object>(own: T, { timestampMs }: NodeUsage): T & { creationTimestamp: string } {
  return { ...own, creationTimestamp: toTime(timestampMs) };
}

function when({ timestampMs, windowMs }: NodeUsage): { timestamp: string; window: string } {
  return { timestamp: toTime(timestampMs), window: `${windowMs / 1000}s` };
}

/** Nanocores and whole kibibytes, as a metrics server writes them. */
function amounts({ cpuNanoCores, memoryBytes }: Usage): Record<string, string> {
  return { cpu: cpuNanoCores === 0 ? '0' : `${cpuNanoCores}n`, memory: `${Math.ceil(memoryBytes / 1024)}Ki` };
}
