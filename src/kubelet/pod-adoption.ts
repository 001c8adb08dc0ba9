// A simulated node's pods outlive its process: what the API server says was running is taken up as it stood.
import type { ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import { containerConfig, sandboxConfig } from './container-config.ts';
import type { KubeletContext } from './context.ts';
import type { AdoptedPod } from './runtime/runtime.ts';

/** Does nothing where the runtime keeps its containers by itself, knows the pod, or the pod never ran here. */
export async function adoptPod(pod: Pod, context: KubeletContext): Promise<void> {
  const { runtime } = context;
  const { phase, podIPs = [], initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  if (runtime.adopt === undefined || phase !== 'Running' || (await runtime.pods(pod.metadata.uid!)).length > 0) return;
  const podIps = podIPs.map(({ ip }) => ip);
  const containers: AdoptedPod['containers'] = [];
  for (const status of [...initContainerStatuses, ...containerStatuses]) {
    const container = await adopted(pod, status, podIps, context);
    if (container !== undefined) containers.push(container);
  }
  if (containers.length > 0) runtime.adopt({ ips: podIps, containers }, sandboxConfig(pod, 0, context));
}

async function adopted(
  pod: Pod,
  { name, state, containerID, imageID, restartCount }: ContainerStatus,
  podIps: readonly string[],
  context: KubeletContext,
): Promise<AdoptedPod['containers'][number] | undefined> {
  const container = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find((entry) => entry.name === name);
  const id = containerID?.slice(`${context.runtimeName}://`.length);
  if (container === undefined || id === undefined || state?.running === undefined) return undefined;
  const config = await containerConfig({ pod, container, attempt: restartCount, podIps, volumes: new Map() }, context);
  return { id, imageId: imageID, startedAtMs: Date.parse(state.running.startedAt ?? ''), config };
}
