// One container's status from what the runtime knows, what holds it back and what was reported before.
import type { ContainerState, ContainerStateTerminated, ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import { toTime } from '#lib/clock.ts';
import type { ContainerStatusInfo } from './runtime/runtime.ts';
import type { ContainerView } from './pod-view.ts';
import type { ProbeVerdict, Waiting } from './plan.ts';
import { mayRestart } from './plan.ts';

export interface ContainerStatusInput {
  pod: Pod;
  /** `containerd`, `simulated`: the scheme of container ids. */
  runtimeName: string;
  probe(containerId: string): ProbeVerdict | undefined;
  /** Why a container is not running, by name: pull errors, configuration errors, crash back-off. */
  waiting: ReadonlyMap<string, Waiting>;
  /** What exited containers left as their last words, by container id. */
  terminationMessages: ReadonlyMap<string, string>;
  /** The pod ends: containers that the runtime no longer has will not come back. */
  ending: boolean;
}

export function containerStatus(input: ContainerStatusInput, view: ContainerView): ContainerStatus {
  const { spec, current } = view;
  const status: ContainerStatus = {
    name: spec.name,
    state: {},
    lastState: {},
    ready: false,
    restartCount: restartCount(view),
    image: current?.image ?? view.reported?.image ?? spec.image ?? '',
    imageID: current?.imageId ?? view.reported?.imageID ?? '',
    started: false,
  };
  if (current === undefined) addForgotten(input, view, status);
  else addKnown(input, view, current, status);
  addSpec(view, status);
  return status;
}

function restartCount(view: ContainerView): number {
  return view.current?.attempt ?? view.reported?.restartCount ?? 0;
}

function addKnown(input: ContainerStatusInput, view: ContainerView, current: ContainerStatusInfo, status: ContainerStatus): void {
  const { spec, previous } = view;
  status.containerID = `${input.runtimeName}://${current.id}`;
  status.lastState = previous?.state === 'exited' ? { terminated: terminated(input, previous) } : (view.reported?.lastState ?? {});
  const waiting = input.waiting.get(spec.name);
  if (current.state === 'running') {
    const verdict = input.probe(current.id) ?? { started: spec.startupProbe === undefined, ready: spec.readinessProbe === undefined };
    status.state = { running: { startedAt: toTime(current.startedAtMs ?? current.createdAtMs) } };
    status.started = verdict.started;
    status.ready = verdict.started && verdict.ready && view.kind !== 'init';
  } else if (current.state === 'exited') {
    const end = terminated(input, current);
    const held = waiting !== undefined && (view.kind !== 'init' || end.exitCode !== 0);
    if (held) {
      status.state = { waiting: { ...waiting } };
      status.lastState = { terminated: end };
    } else {
      status.state = { terminated: end };
      status.ready = view.kind === 'init' && end.exitCode === 0;
    }
  } else {
    status.state = { waiting: waiting === undefined ? defaultWaiting(input.pod) : { ...waiting } };
  }
}

/** The runtime does not have the container: never created, or lost. */
function addForgotten(input: ContainerStatusInput, view: ContainerView, status: ContainerStatus): void {
  const { reported, spec } = view;
  const waiting: ContainerState = { waiting: { ...(input.waiting.get(spec.name) ?? defaultWaiting(input.pod)) } };
  status.state = waiting;
  if (reported === undefined) return;
  status.lastState = reported.lastState ?? {};
  if (reported.containerID === undefined) return;
  const old = reported.state ?? {};
  if (old.terminated !== undefined) {
    const returns = !input.ending && mayRestart(view, input.pod, old.terminated.exitCode);
    status.state = returns ? waiting : old;
    status.ready = !returns && view.kind === 'init' && old.terminated.exitCode === 0;
    status.containerID = reported.containerID;
    if (returns) status.lastState = { terminated: old.terminated };
    return;
  }
  if (old.running === undefined) return;
  const lost: ContainerStateTerminated = {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: input.ending
      ? 'The container could not be located when the pod was terminated'
      : 'The container could not be located when the pod was deleted.  The container used to be Running',
  };
  const returns = !input.ending && mayRestart(view, input.pod, lost.exitCode);
  if (returns) {
    status.lastState = { terminated: lost };
    status.restartCount = reported.restartCount + 1;
  } else {
    status.state = { terminated: lost };
    status.containerID = reported.containerID;
  }
}

function terminated(input: ContainerStatusInput, info: ContainerStatusInfo): ContainerStateTerminated {
  const exitCode = info.exitCode ?? 137;
  const message = input.terminationMessages.get(info.id) ?? info.message;
  return {
    exitCode,
    reason: info.reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
    ...(message !== undefined && message !== '' && { message }),
    startedAt: toTime(info.startedAtMs ?? info.createdAtMs),
    finishedAt: toTime(info.finishedAtMs ?? info.createdAtMs),
    containerID: `${input.runtimeName}://${info.id}`,
  };
}

function defaultWaiting(pod: Pod): Waiting {
  return { reason: (pod.spec.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating' };
}

/** What the status repeats of the spec once the container exists. */
function addSpec(view: ContainerView, status: ContainerStatus): void {
  const { spec, current } = view;
  if (spec.volumeMounts?.length) {
    status.volumeMounts = spec.volumeMounts.map((mount) => ({
      name: mount.name,
      mountPath: mount.mountPath,
      ...(mount.readOnly && { readOnly: true, recursiveReadOnly: 'Disabled' }),
    }));
  }
  if (view.kind === 'ephemeral' || current?.state !== 'running') return;
  if (spec.resources?.requests !== undefined) status.allocatedResources = spec.resources.requests;
  status.resources = { ...spec.resources };
}
