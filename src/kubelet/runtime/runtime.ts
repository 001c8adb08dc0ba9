// What a kubelet needs of whatever runs its containers: CRI's ideas, reduced to what is used.
// Two implementations: containerd/ (real) and simulated/ (pod lifecycles on the clock).
import type { Readable } from 'node:stream';
import type { ExecOptions, ExecStreams } from '#client/kubelet-connection.ts';

export interface RuntimeInfo {
  name: string;
  version: string;
}

/** Identity that every sandbox and container carries as labels, so that a restarted kubelet recognises what it started. */
export interface PodIdentity {
  namespace: string;
  name: string;
  uid: string;
}

export interface SandboxConfig {
  pod: PodIdentity;
  attempt: number;
  hostname: string;
  /** Directory on the host that container logs are written below. */
  logDirectory: string;
  dns?: { servers: string[]; searches: string[]; options: string[] };
  hostNetwork: boolean;
  hostPid: boolean;
  /** All containers of the pod see one another's processes. */
  sharedPid: boolean;
  hostIpc: boolean;
  cgroupParent: string;
  /** Of the pod's runtime class; unset: the runtime's default. */
  runtimeHandler?: string;
  sysctls: Record<string, string>;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  portMappings: { containerPort: number; hostPort: number; protocol: 'TCP' | 'UDP' | 'SCTP'; hostIP?: string }[];
  securityContext: SecurityOptions;
}

export interface SecurityOptions {
  runAsUser?: number;
  runAsGroup?: number;
  supplementalGroups?: number[];
  privileged?: boolean;
  readOnlyRootFilesystem?: boolean;
  addCapabilities?: string[];
  dropCapabilities?: string[];
  noNewPrivileges?: boolean;
}

export interface ContainerConfig {
  name: string;
  attempt: number;
  image: string;
  command: string[];
  args: string[];
  workingDir?: string;
  env: { name: string; value: string }[];
  mounts: { containerPath: string; hostPath: string; readOnly: boolean; propagation?: 'None' | 'HostToContainer' | 'Bidirectional' }[];
  /** Relative to the sandbox's log directory. */
  logPath: string;
  stdin: boolean;
  stdinOnce: boolean;
  tty: boolean;
  resources: {
    cpuShares?: number;
    cpuQuotaUs?: number;
    cpuPeriodUs?: number;
    memoryLimitBytes?: number;
    oomScoreAdj?: number;
    /** Nothing is enforced by it: simulated usage follows from it. */
    memoryRequestBytes?: number;
  };
  securityContext: SecurityOptions;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown';

export interface ContainerStatusInfo {
  id: string;
  sandboxId: string;
  name: string;
  attempt: number;
  state: ContainerState;
  /** As the pod's spec named it. */
  image: string;
  /** Resolved: digest reference or id. */
  imageId: string;
  createdAtMs: number;
  startedAtMs?: number;
  finishedAtMs?: number;
  exitCode?: number;
  /** `Completed`, `Error`, `OOMKilled`, `StartError`, … */
  reason?: string;
  message?: string;
  /** Whole path of the log file on the host; simulated runtimes may leave it out. */
  logPath?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface SandboxInfo {
  id: string;
  pod: PodIdentity;
  attempt: number;
  ready: boolean;
  createdAtMs: number;
  ips: string[];
  labels: Record<string, string>;
}

export interface RuntimePod {
  sandbox: SandboxInfo;
  containers: ContainerStatusInfo[];
}

export interface ContainerUsage {
  cpuCoreNanoSeconds: number;
  memoryWorkingSetBytes: number;
  memoryUsageBytes: number;
  rootfsUsedBytes: number;
}

export interface PodUsage {
  pod: PodIdentity;
  networkRxBytes: number;
  networkTxBytes: number;
  containers: Map<string, ContainerUsage>;
}

/** Something happened to a pod's containers: look again. */
export interface RuntimeEvent {
  podUid: string;
}

export interface ImageUser {
  uid?: number;
  /** Where the image names its user instead. */
  username?: string;
}

export interface ContainerRuntime {
  info(): Promise<RuntimeInfo>;
  /** Throws with the reason while the runtime or its network is not ready. */
  checkReady(): Promise<void>;
  /** Everything that runs or lies stopped: what a restarted kubelet adopts. With a uid only that pod. */
  pods(podUid?: string): Promise<RuntimePod[]>;
  runSandbox(config: SandboxConfig): Promise<SandboxInfo>;
  /** Stops the sandbox and its containers and releases its network. Idempotent, as all stops and removals. */
  stopSandbox(id: string): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  /** Undefined if the image is not present. */
  imageId(image: string): Promise<string | undefined>;
  /** Whom the image's programs run as when a pod does not say; root where the image does not either. A runtime without images has none. */
  imageUser?(imageId: string): Promise<ImageUser>;
  /** Pulls and answers the image's id. Throws PullError. */
  pullImage(image: string): Promise<{ imageId: string; bytes: number }>;
  images(): Promise<{ names: string[]; sizeBytes: number }[]>;
  removeImage(imageId: string): Promise<void>;
  /** Runs a command to its end with its output collected: probes, lifecycle hooks. */
  execSync(containerId: string, command: string[], timeoutMs: number): Promise<{ exitCode: number; stdout: Buffer; stderr: Buffer }>;
  exec(containerId: string, options: ExecOptions, streams: ExecStreams): Promise<number>;
  attach(containerId: string, options: { tty: boolean }, streams: ExecStreams): Promise<void>;
  portForward(sandboxId: string, port: number, stream: { readable: Readable; writable: NodeJS.WritableStream }): Promise<void>;
  /** Only where logs are not files (simulated): the log from its beginning, CRI format lines. */
  readLog?(containerId: string): Promise<string>;
  usage(): Promise<PodUsage[]>;
  /** Opens the container's log file anew after the kubelet moved it away; without it logs are not rotated. */
  reopenLog?(containerId: string): Promise<void>;
  /** Answers a probe in the container's place, where there is nothing that the network or a process could answer (simulated). */
  probe?(containerId: string, kind: 'startup' | 'liveness' | 'readiness'): Promise<{ success: boolean; output: string }>;
  /** Takes up a pod that the API server says was running, where nothing outlives the kubelet's process (simulated). */
  adopt?(pod: AdoptedPod, config: SandboxConfig): void;
  /** No process ever reads a file here (simulated): volumes are checked for what they refer to, but not written. */
  readonly withoutFiles?: boolean;
  /** Calls back soon after a container changed by itself (exit, OOM). Answers how to stop. */
  onEvent(listener: (event: RuntimeEvent) => void): () => void;
  close(): Promise<void>;
}

/** What a pod's status said ran; the containers' configurations are those that they would be started with. */
export interface AdoptedPod {
  ips: string[];
  containers: { id: string; imageId: string; startedAtMs: number; config: ContainerConfig }[];
}

/** A pull that failed; `reason` is what the container's waiting state says. */
export class PullError extends Error {
  override name = 'PullError';
  readonly reason: 'ErrImagePull' | 'InvalidImageName' | 'RegistryUnavailable';
  constructor(reason: PullError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
