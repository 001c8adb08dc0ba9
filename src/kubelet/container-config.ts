// A pod's sandbox and containers as the runtime wants them described.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Container, Pod } from '#api/generated/core-v1.ts';
import type { KubeletContext } from './context.ts';
import { hostsPath, terminationMessagePath } from './directories.ts';
import { dnsOf } from './dns.ts';
import { containerEnv } from './env.ts';
import { expand } from './expand.ts';
import { containerLabels, hostnameOf, identityOf, logDirectoryName, sandboxLabels } from './identity.ts';
import type { ContainerKind } from './pod-view.ts';
import { isSidecar } from '#api/core/pod-requests.ts';
import { valueOf } from '#api/meta/quantity.ts';
import { cgroupParentOf, containerResources } from './resources.ts';
import type { ContainerConfig, SandboxConfig } from './runtime/runtime.ts';
import { containerSecurity, sandboxSecurity } from './security.ts';
import type { MountedVolumes } from './volumes/volume-manager.ts';
import { containerMounts } from './volumes/container-mounts.ts';

export function sandboxConfig(pod: Pod, attempt: number, context: KubeletContext): SandboxConfig {
  const identity = identityOf(pod);
  const ports = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap((container) => container.ports ?? []);
  return {
    pod: identity,
    attempt,
    // On the host's network the pod has the host's own name.
    hostname: pod.spec.hostNetwork ? '' : hostnameOf(pod),
    logDirectory: path.join(context.directories.logs, logDirectoryName(identity)),
    dns: dnsOf(pod, context),
    hostNetwork: pod.spec.hostNetwork === true,
    hostPid: pod.spec.hostPID === true,
    sharedPid: pod.spec.shareProcessNamespace === true,
    hostIpc: pod.spec.hostIPC === true,
    cgroupParent: cgroupParentOf(pod),
    sysctls: Object.fromEntries((pod.spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value])),
    labels: sandboxLabels(pod),
    annotations: { ...pod.metadata.annotations },
    portMappings: ports
      .filter((port) => (port.hostPort ?? 0) > 0 && !pod.spec.hostNetwork)
      .map((port) => ({
        containerPort: port.containerPort,
        hostPort: port.hostPort!,
        protocol: (port.protocol ?? 'TCP') as 'TCP' | 'UDP' | 'SCTP',
        ...(port.hostIP && { hostIP: port.hostIP }),
      })),
    securityContext: sandboxSecurity(pod),
  };
}

export interface ContainerRequest {
  pod: Pod;
  container: Container;
  attempt: number;
  podIps: readonly string[];
  volumes: MountedVolumes;
}

/** Throws ConfigError for what the spec asks and cannot be had. */
export async function containerConfig(request: ContainerRequest, context: KubeletContext): Promise<ContainerConfig> {
  const { pod, container, attempt, podIps } = request;
  const env = await containerEnv(pod, container, { ...context, podIps });
  const mounts = await containerMounts(request, env);
  if (!context.runtime.withoutFiles) {
    if (!mounts.some(({ containerPath }) => containerPath === '/etc/hosts')) {
      mounts.push({ containerPath: '/etc/hosts', hostPath: hostsPath(context, pod), readOnly: false });
    }
    const messages = terminationMessagePath(context, pod.metadata.uid!, container.name, attempt);
    await mkdir(path.dirname(messages), { recursive: true });
    await writeFile(messages, '', { mode: 0o666 });
    mounts.push({ containerPath: container.terminationMessagePath ?? '/dev/termination-log', hostPath: messages, readOnly: false });
  }
  return {
    name: container.name,
    attempt,
    image: container.image ?? '',
    command: (container.command ?? []).map((word) => expand(word, env)),
    args: (container.args ?? []).map((word) => expand(word, env)),
    ...(container.workingDir && { workingDir: container.workingDir }),
    env: [...env].map(([name, value]) => ({ name, value })),
    mounts,
    logPath: `${container.name}/${attempt}.log`,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    resources: containerResources(pod, container, valueOf(context.node().status?.capacity?.memory)),
    securityContext: containerSecurity(pod, container),
    labels: containerLabels(pod, container.name),
    annotations: { 'io.kubernetes.container.restartCount': String(attempt), 'keks.dev/container-kind': kindOf(pod, container.name) },
  };
}

/** How the container ends: init containers by themselves, the others with their pod. */
function kindOf(pod: Pod, name: string): ContainerKind {
  const init = pod.spec.initContainers?.find((container) => container.name === name);
  if (init !== undefined) return isSidecar(init) ? 'sidecar' : 'init';
  return pod.spec.containers.some((container) => container.name === name) ? 'main' : 'ephemeral';
}
