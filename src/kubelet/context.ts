// What the parts of one kubelet share: its name, its doors to the outside and its directories.
import type { Node, Pod, Service } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import type { ContainerRuntime } from './runtime/runtime.ts';
import type { ObjectSource } from './object-source.ts';

export interface KubeletDirectories {
  /** One directory for each pod, by uid: volumes, hosts file, termination messages. Upstream's /var/lib/kubelet/pods. */
  pods: string;
  /** Container logs, as /var/log/pods. */
  logs: string;
}

export interface DnsSettings {
  servers: string[];
  searches: string[];
  options: string[];
}

/** Lists a namespace's services, for the variables that containers find them by. */
export type ServiceLister = (namespace: string) => readonly Service[];

export interface KubeletContext {
  nodeName: string;
  client: Client;
  runtime: ContainerRuntime;
  /** The scheme of container ids, from the runtime's name. */
  runtimeName: string;
  clock: Clock;
  random: Random;
  log: Log;
  events: EventRecorder;
  directories: KubeletDirectories;
  objects: ObjectSource;
  services: ServiceLister;
  hostIps: readonly string[];
  clusterDns: readonly string[];
  clusterDomain: string;
  /** The resolver settings of the node itself. */
  hostDns: DnsSettings;
  /** The node as it was last reported. */
  node(): Pick<Node, 'metadata' | 'spec' | 'status'>;
}

/** Tells what happened to a pod, or with a container to one of its containers. */
export function tellPod(
  context: Pick<KubeletContext, 'events'>,
  pod: Pod,
  event: { type: 'Normal' | 'Warning'; reason: string; message: string; container?: string },
): void {
  const { name, namespace, uid, resourceVersion } = pod.metadata;
  const fieldPath = event.container === undefined ? undefined : fieldPathOf(pod, event.container);
  const regarding = {
    apiVersion: 'v1',
    kind: 'Pod',
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(fieldPath !== undefined && { fieldPath }),
  };
  context.events.event(regarding, event.type, event.reason, event.message);
}

function fieldPathOf(pod: Pod, container: string): string {
  if (pod.spec.initContainers?.some(({ name }) => name === container)) return `spec.initContainers{${container}}`;
  if (pod.spec.ephemeralContainers?.some(({ name }) => name === container)) return `spec.ephemeralContainers{${container}}`;
  return `spec.containers{${container}}`;
}
