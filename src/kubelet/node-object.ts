// The Node object and its status as a kubelet reports them: a pure function of the node's settings and what was measured.
import type { Node, NodeAddress, NodeCondition, NodeStatus, NodeSystemInfo, Taint } from '#api/generated/core-v1.ts';
import { toTime } from '#lib/clock.ts';
import { formatQuantity, subtractQuantities } from '#api/meta/quantity.ts';
import type { RuntimeInfo } from './runtime/runtime.ts';

export interface NodeSettings {
  name: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  taints?: Taint[];
  providerId?: string;
  instanceType?: string;
  zone?: string;
  region?: string;
  /** The first InternalIP is the address of pods on the host's network. */
  addresses: NodeAddress[];
  /** cpu, memory, pods, ephemeral-storage, … as quantities. */
  capacity: Record<string, string>;
  /** Kept back from pods: kube-reserved, system-reserved and hard eviction thresholds together. */
  reserved?: Record<string, string>;
  info?: Partial<NodeSystemInfo>;
  /** `v1.36.0-eks-…` */
  kubeletVersion: string;
  /** The kubelet's HTTPS port. 0: none. */
  kubeletPort?: number;
}

export interface NodeMeasurements {
  nowMs: number;
  runtime: RuntimeInfo;
  /** Why the runtime cannot take pods. */
  notReady?: string;
  images: { names: string[]; sizeBytes: number }[];
  volumesInUse: string[];
}

const maxImages = 50;
const leastAllocatable: Record<string, string> = { cpu: '0', memory: '0' };

export function nodeObject(settings: NodeSettings, measured: NodeMeasurements): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: settings.name,
      labels: nodeLabels(settings),
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true', ...settings.annotations },
    },
    spec: {
      ...(settings.providerId && { providerID: settings.providerId }),
      ...(settings.taints && settings.taints.length > 0 && { taints: settings.taints }),
    },
    status: nodeStatus(settings, measured, undefined),
  };
}

export function nodeLabels(settings: NodeSettings): Record<string, string> {
  const architecture = settings.info?.architecture ?? 'amd64';
  const { instanceType, zone, region } = settings;
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': settings.name,
    'kubernetes.io/os': 'linux',
    ...(instanceType && { 'node.kubernetes.io/instance-type': instanceType, 'beta.kubernetes.io/instance-type': instanceType }),
    ...(zone && { 'topology.kubernetes.io/zone': zone, 'failure-domain.beta.kubernetes.io/zone': zone }),
    ...(region && { 'topology.kubernetes.io/region': region, 'failure-domain.beta.kubernetes.io/region': region }),
    ...settings.labels,
  };
}

export function nodeStatus(settings: NodeSettings, measured: NodeMeasurements, before: NodeStatus | undefined): NodeStatus {
  const images = measured.images
    .filter(({ names }) => names.length > 0)
    .sort((a, b) => b.sizeBytes - a.sizeBytes || (a.names[0]! < b.names[0]! ? -1 : 1))
    .slice(0, maxImages);
  return {
    capacity: settings.capacity,
    allocatable: allocatable(settings),
    conditions: nodeConditions(measured, before?.conditions ?? []),
    addresses: settings.addresses,
    daemonEndpoints: { kubeletEndpoint: { Port: settings.kubeletPort ?? 0 } },
    nodeInfo: {
      machineID: '',
      systemUUID: '',
      bootID: '',
      kernelVersion: '',
      osImage: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
      ...settings.info,
      containerRuntimeVersion: `${measured.runtime.name}://${measured.runtime.version}`,
      kubeletVersion: settings.kubeletVersion,
      // Deprecated, and empty since 1.33.
      kubeProxyVersion: '',
    },
    ...(images.length > 0 && { images }),
    ...(measured.volumesInUse.length > 0 && { volumesInUse: measured.volumesInUse }),
  };
}

function allocatable(settings: NodeSettings): Record<string, string> {
  const left: Record<string, string> = {};
  for (const [name, capacity] of Object.entries(settings.capacity)) {
    const reserved = settings.reserved?.[name];
    if (reserved === undefined) {
      left[name] = capacity;
      continue;
    }
    const rest = formatQuantity(subtractQuantities(capacity, reserved));
    left[name] = rest.startsWith('-') ? (leastAllocatable[name] ?? '0') : rest;
  }
  return left;
}

function nodeConditions({ nowMs, notReady }: NodeMeasurements, before: NodeCondition[]): NodeCondition[] {
  const wanted: Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>[] = [
    { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available' },
    { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
    { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
    notReady === undefined
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: notReady },
  ];
  const now = toTime(nowMs);
  return wanted.map((condition) => {
    const old = before.find(({ type }) => type === condition.type);
    const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? now) : now;
    return { ...condition, lastHeartbeatTime: now, lastTransitionTime };
  });
}

/** Whether two statuses say the same, the heartbeat's time aside. */
export function saysTheSame(a: NodeStatus, b: NodeStatus): boolean {
  return JSON.stringify(withoutHeartbeat(a)) === JSON.stringify(withoutHeartbeat(b));
}

function withoutHeartbeat(status: NodeStatus): NodeStatus {
  return { ...status, conditions: (status.conditions ?? []).map((condition) => ({ ...condition, lastHeartbeatTime: '' })) };
}
