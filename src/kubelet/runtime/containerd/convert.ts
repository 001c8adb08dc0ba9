// Between the kubelet's words and CRI's. Pure.
import type { ContainerConfig, ContainerState, ContainerStatusInfo, PodUsage, SandboxConfig, SecurityOptions } from '../runtime.ts';
import type * as cri from './cri-messages.ts';

/** What every Kubernetes runtime knows its pods by; crictl and log collectors read them too. */
export const labelNames = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
};
/** The image as the pod's spec names it: containerd answers with its resolved name only. */
const imageAnnotation = 'keks.image';
/** Where the pod's cgroup is: it stays when its last container is gone, and is ours to remove. */
export const cgroupAnnotation = 'keks.cgroup';

const protocols = { TCP: 0, UDP: 1, SCTP: 2 };
const propagations = { None: 0, HostToContainer: 1, Bidirectional: 2 };
const namespaceModes = { pod: 0, container: 1, node: 2 };
const unconfined = { profile_type: 1 };
const containerStates: ContainerState[] = ['created', 'running', 'exited', 'unknown'];

/** The paths of /proc and /sys that a container of procMount Default does not see, or cannot write to. */
const maskedPaths = ['/proc/asound', '/proc/acpi', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats'].concat([
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]);
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export function sandboxToCri(config: SandboxConfig, cgroupRoot: string): cri.PodSandboxConfig {
  const { pod, securityContext } = config;
  const cgroup = cgroupRoot + config.cgroupParent;
  return {
    metadata: { name: pod.name, uid: pod.uid, namespace: pod.namespace, attempt: config.attempt },
    hostname: config.hostname,
    log_directory: config.logDirectory,
    ...(config.dns && { dns_config: config.dns }),
    port_mappings: config.portMappings.map((mapping) => ({
      protocol: protocols[mapping.protocol],
      container_port: mapping.containerPort,
      host_port: mapping.hostPort,
      host_ip: mapping.hostIP ?? '',
    })),
    labels: { ...config.labels, [labelNames.podName]: pod.name, [labelNames.podNamespace]: pod.namespace, [labelNames.podUid]: pod.uid },
    annotations: { ...config.annotations, [cgroupAnnotation]: cgroup },
    linux: {
      cgroup_parent: cgroup,
      sysctls: config.sysctls,
      security_context: {
        namespace_options: namespaceOptions(config),
        ...users(securityContext),
        readonly_rootfs: securityContext.readOnlyRootFilesystem ?? false,
        supplemental_groups: securityContext.supplementalGroups ?? [],
        privileged: securityContext.privileged ?? false,
        seccomp: unconfined,
      },
    },
  };
}

export function containerToCri(config: ContainerConfig, sandbox: SandboxConfig): cri.ContainerConfig {
  const { securityContext, resources } = config;
  const privileged = securityContext.privileged ?? false;
  return {
    metadata: { name: config.name, attempt: config.attempt },
    image: { image: config.image },
    command: config.command,
    args: config.args,
    working_dir: config.workingDir ?? '',
    envs: config.env.map(({ name, value }) => ({ key: name, value })),
    mounts: config.mounts.map((mount) => ({
      container_path: mount.containerPath,
      host_path: mount.hostPath,
      readonly: mount.readOnly,
      propagation: propagations[mount.propagation ?? 'None'],
    })),
    labels: {
      ...config.labels,
      [labelNames.podName]: sandbox.pod.name,
      [labelNames.podNamespace]: sandbox.pod.namespace,
      [labelNames.podUid]: sandbox.pod.uid,
      [labelNames.containerName]: config.name,
    },
    annotations: { ...config.annotations, [imageAnnotation]: config.annotations[imageAnnotation] ?? config.image },
    log_path: config.logPath,
    stdin: config.stdin,
    stdin_once: config.stdinOnce,
    tty: config.tty,
    linux: {
      resources: {
        cpu_period: resources.cpuPeriodUs ?? 0,
        cpu_quota: resources.cpuQuotaUs ?? 0,
        cpu_shares: resources.cpuShares ?? 0,
        memory_limit_in_bytes: resources.memoryLimitBytes ?? 0,
        oom_score_adj: resources.oomScoreAdj ?? 0,
      },
      security_context: {
        capabilities: {
          add_capabilities: securityContext.addCapabilities ?? [],
          drop_capabilities: securityContext.dropCapabilities ?? [],
        },
        privileged,
        namespace_options: namespaceOptions(sandbox),
        ...users(securityContext),
        readonly_rootfs: securityContext.readOnlyRootFilesystem ?? false,
        supplemental_groups: securityContext.supplementalGroups ?? [],
        no_new_privs: securityContext.noNewPrivileges ?? false,
        masked_paths: privileged ? [] : maskedPaths,
        readonly_paths: privileged ? [] : readonlyPaths,
        seccomp: unconfined,
      },
    },
  };
}

function namespaceOptions(sandbox: SandboxConfig): cri.NamespaceOption {
  return {
    network: sandbox.hostNetwork ? namespaceModes.node : namespaceModes.pod,
    pid: sandbox.hostPid ? namespaceModes.node : sandbox.sharedPid ? namespaceModes.pod : namespaceModes.container,
    ipc: sandbox.hostIpc ? namespaceModes.node : namespaceModes.pod,
  };
}

function users(options: SecurityOptions): { run_as_user?: { value: number }; run_as_group?: { value: number } } {
  // A group without a user is refused by runtimes: the image's user cannot be combined with it.
  const group = options.runAsGroup !== undefined && options.runAsUser !== undefined ? { run_as_group: { value: options.runAsGroup } } : {};
  return { ...(options.runAsUser !== undefined && { run_as_user: { value: options.runAsUser } }), ...group };
}

export function statusFromCri(status: cri.ContainerStatus, sandboxId: string): ContainerStatusInfo {
  const state = containerStates[status.state] ?? 'unknown';
  const exited = state === 'exited';
  return {
    id: status.id,
    sandboxId,
    name: status.metadata.name,
    attempt: status.metadata.attempt,
    state,
    image: status.annotations[imageAnnotation] ?? status.image?.image ?? '',
    imageId: status.image_ref,
    createdAtMs: toMs(status.created_at),
    ...(status.started_at > 0 && { startedAtMs: toMs(status.started_at) }),
    ...(exited && { finishedAtMs: toMs(status.finished_at), exitCode: status.exit_code }),
    ...(status.reason !== '' && { reason: status.reason }),
    ...(status.message !== '' && { message: status.message }),
    ...(status.log_path !== '' && { logPath: status.log_path }),
    labels: status.labels,
    annotations: status.annotations,
  };
}

export function usageFromCri(stats: cri.PodSandboxStats): PodUsage {
  const { name, namespace, uid } = stats.attributes.metadata;
  const network = stats.linux?.network?.default_interface;
  return {
    pod: { name, namespace, uid },
    networkRxBytes: network?.rx_bytes?.value ?? 0,
    networkTxBytes: network?.tx_bytes?.value ?? 0,
    containers: new Map(
      running(stats).map((container) => [
        container.attributes.metadata.name,
        {
          cpuCoreNanoSeconds: container.cpu?.usage_core_nano_seconds?.value ?? 0,
          memoryWorkingSetBytes: container.memory?.working_set_bytes?.value ?? 0,
          memoryUsageBytes: container.memory?.usage_bytes?.value ?? 0,
          rootfsUsedBytes: container.writable_layer?.used_bytes?.value ?? 0,
        },
      ]),
    ),
  };
}

/** containerd names the containers that have ended, too, without what they use. */
function running({ linux }: cri.PodSandboxStats): cri.ContainerStats[] {
  return (linux?.containers ?? []).filter(({ cpu }) => cpu !== null);
}

/** CRI's times are nanoseconds. */
export const toMs = (nanoseconds: number): number => Math.floor(nanoseconds / 1e6);
