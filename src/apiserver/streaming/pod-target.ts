// Which container of which pod on which node a streaming request means, and upstream's words for why there is none.
import type { Container, ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import { badRequest, internalError, notFound } from '#api/meta/errors.ts';
import type { KubeletConnection, KubeletDirectory } from '#client/kubelet-connection.ts';

export interface PodSource {
  pod(namespace: string, name: string): Pod | undefined | Promise<Pod | undefined>;
  kubelets: KubeletDirectory;
}

export async function findPod(source: PodSource, namespace: string, name: string): Promise<Pod> {
  const pod = await source.pod(namespace, name);
  if (!pod) throw notFound({ group: '', plural: 'pods' }, name);
  return pod;
}

/** The kubelet of the pod's node. */
export function kubeletOf(source: PodSource, pod: Pod): KubeletConnection {
  const nodeName = pod.spec?.nodeName;
  if (!nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  const connection = source.kubelets(nodeName);
  if (!connection) throw internalError(`error dialing backend: the kubelet of node ${JSON.stringify(nodeName)} cannot be reached`);
  return connection;
}

/** The container asked for, or the only one there is. */
export function containerOf(pod: Pod, asked: string): string {
  const { name } = pod.metadata;
  const containers = pod.spec?.containers ?? [];
  const initContainers = pod.spec?.initContainers ?? [];
  const ephemeral = (pod.spec?.ephemeralContainers ?? []) as unknown as Container[];
  if (asked !== '') {
    if ([...containers, ...initContainers, ...ephemeral].some((container) => container.name === asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  if (containers.length === 1) return containers[0]!.name;
  if (containers.length === 0) throw badRequest(`a container name must be specified for pod ${name}`);
  const list = (all: readonly Container[]) => `[${all.map((container) => container.name).join(' ')}]`;
  const init = initContainers.length > 0 ? ` or one of the init containers: ${list(initContainers)}` : '';
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: ${list(containers)}${init}`);
}

function statusOf(pod: Pod, container: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find((status) => status.name === container);
}

/** Throws what the kubelet says when a process is to be started or reached in a container that does not run. */
export function mustRun(pod: Pod, container: string): void {
  if (statusOf(pod, container)?.state?.running) return;
  throw internalError(`unable to upgrade connection: container not found (${JSON.stringify(container)})`);
}

/** Throws what the kubelet says when a container has no log yet, or no previous one. */
export function mustHaveLog(pod: Pod, container: string, previous: boolean): void {
  const status = statusOf(pod, container);
  const subject = `container ${JSON.stringify(container)} in pod ${JSON.stringify(pod.metadata.name)}`;
  if (!status) throw badRequest(`${subject} is not available`);
  const last = status.lastState?.terminated;
  if (previous) {
    if (!last) throw badRequest(`previous terminated ${subject} not found`);
    return;
  }
  const { waiting, running, terminated } = status.state ?? {};
  if (running || terminated?.containerID || last?.containerID) return;
  if (terminated) throw badRequest(`${subject} is terminated`);
  if (waiting?.reason === 'ErrImagePull' || waiting?.reason === 'ImagePullBackOff') {
    const tried = waiting.reason === 'ErrImagePull' ? "image can't be pulled" : 'trying and failing to pull image';
    throw badRequest(`${subject} is waiting to start: ${tried}`);
  }
  throw badRequest(`${subject} is waiting to start: ${waiting?.reason ?? 'no logs yet'}`);
}
