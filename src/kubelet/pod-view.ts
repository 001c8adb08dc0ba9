// A pod's containers as its spec lists them, each joined with what the runtime knows of it: the common ground of plan and status.
import type { Container, ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import { isSidecar } from '#api/core/pod-requests.ts';
import type { ContainerStatusInfo, RuntimePod, SandboxInfo } from './runtime/runtime.ts';

export type ContainerKind = 'init' | 'sidecar' | 'main' | 'ephemeral';

export interface ContainerView {
  kind: ContainerKind;
  spec: Container;
  /** The newest instance in the runtime. */
  current?: ContainerStatusInfo;
  /** Whether `current` lives in the newest sandbox. */
  inSandbox: boolean;
  /** The instance before `current`. */
  previous?: ContainerStatusInfo;
  /** What the API server holds from earlier. */
  reported?: ContainerStatus;
}

export interface PodView {
  pod: Pod;
  /** The newest sandbox. */
  sandbox?: SandboxInfo;
  olderSandboxes: SandboxInfo[];
  init: ContainerView[];
  main: ContainerView[];
  ephemeral: ContainerView[];
  /** Every container instance in the runtime, also of containers that the spec no longer names. */
  instances: ContainerStatusInfo[];
}

export function viewPod(pod: Pod, runtime: readonly RuntimePod[]): PodView {
  const sandboxes = runtime.map((entry) => entry.sandbox).sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs);
  const instances = runtime.flatMap((entry) => entry.containers).sort(newestFirst);
  const byName = new Map<string, ContainerStatusInfo[]>();
  for (const instance of instances) {
    const list = byName.get(instance.name);
    if (list === undefined) byName.set(instance.name, [instance]);
    else list.push(instance);
  }
  const status = pod.status;
  const view = (spec: Container, kind: ContainerKind, reported: ContainerStatus[] | undefined): ContainerView => {
    const [current, previous] = byName.get(spec.name) ?? [];
    const last = reported?.find((entry) => entry.name === spec.name);
    return {
      kind,
      spec,
      inSandbox: current !== undefined && current.sandboxId === sandboxes[0]?.id,
      ...(current && { current }),
      ...(previous && { previous }),
      ...(last && { reported: last }),
    };
  };
  return {
    pod,
    ...(sandboxes[0] && { sandbox: sandboxes[0] }),
    olderSandboxes: sandboxes.slice(1),
    init: (pod.spec.initContainers ?? []).map((spec) => view(spec, isSidecar(spec) ? 'sidecar' : 'init', status?.initContainerStatuses)),
    main: pod.spec.containers.map((spec) => view(spec, 'main', status?.containerStatuses)),
    ephemeral: (pod.spec.ephemeralContainers ?? []).map((spec) => view(spec, 'ephemeral', status?.ephemeralContainerStatuses)),
    instances,
  };
}

export function containersOf(view: PodView): ContainerView[] {
  return [...view.init, ...view.main, ...view.ephemeral];
}

export function isRunning(container: ContainerView): boolean {
  return container.current?.state === 'running';
}

/** Once an ordinary container of this sandbox exists, the init containers have done their work. */
export function isInitialized(view: PodView): boolean {
  return view.main.some((container) => container.current !== undefined && container.inSandbox);
}

/** Counts from zero; goes on from what was reported when the runtime has forgotten the earlier instances. */
export function nextAttempt(container: ContainerView): number {
  const known = container.current?.attempt;
  if (known !== undefined) return known + 1;
  const reported = container.reported;
  if (reported?.containerID === undefined && reported?.lastState?.terminated === undefined) return 0;
  return reported.restartCount + 1;
}

function newestFirst(a: ContainerStatusInfo, b: ContainerStatusInfo): number {
  return b.createdAtMs - a.createdAtMs || b.attempt - a.attempt;
}
