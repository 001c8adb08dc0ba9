// A pod's status as upstream's kubelet would write it: a pure function of spec, runtime and probes.
import type { Pod, PodCondition, PodStatus } from '#api/generated/core-v1.ts';
import { toTime } from '#lib/clock.ts';
import type { ContainerStatusInput } from './container-status.ts';
import { containerStatus } from './container-status.ts';
import { podConditions } from './conditions.ts';
import type { PodView } from './pod-view.ts';
import { podPhase } from './pod-phase.ts';
import { qosClassOf } from '#api/core/pod-qos.ts';
import { podCondition } from '#api/core/pod-state.ts';

export interface StatusInput extends Omit<ContainerStatusInput, 'pod' | 'ending'> {
  view: PodView;
  nowMs: number;
  hostIps: readonly string[];
  /** Nothing of the pod runs or will run again. */
  ended: boolean;
  /** The pod's end as decided by the kubelet (deadline, eviction): overrules the phase. */
  verdict?: { phase: 'Failed'; reason: string; message: string };
}

export function podStatus(input: StatusInput): PodStatus {
  const { view, verdict } = input;
  const { pod } = view;
  const containerInput: ContainerStatusInput = { ...input, pod, ending: input.ended };
  const init = view.init.map((container) => containerStatus(containerInput, container));
  const main = view.main.map((container) => containerStatus(containerInput, container));
  const ephemeral = view.ephemeral.map((container) => containerStatus(containerInput, container));
  const reported = pod.status?.phase;
  const isTerminal = reported === 'Succeeded' || reported === 'Failed';
  // A terminal phase is final, whoever wrote it.
  const phase = isTerminal ? reported : input.ended && verdict !== undefined ? verdict.phase : podPhase(pod, init, main, input.ended);
  const ips = podIps(input);
  const reason = verdict?.reason ?? pod.status?.reason;
  const message = verdict?.message ?? pod.status?.message;
  const sandboxReady = view.sandbox?.ready === true && (view.sandbox.ips.length > 0 || pod.spec.hostNetwork === true);
  const conditions = podConditions({ pod, phase, init, main, sandboxReady });
  return {
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: conditions.map((condition) => dated(condition, pod, input.nowMs)),
    ...(message && { message }),
    ...(reason && { reason }),
    ...(input.hostIps.length > 0 && { hostIP: input.hostIps[0]!, hostIPs: input.hostIps.map((ip) => ({ ip })) }),
    ...(ips.length > 0 && { podIP: ips[0]!, podIPs: ips.map((ip) => ({ ip })) }),
    startTime: pod.status?.startTime ?? toTime(input.nowMs),
    ...(init.length > 0 && { initContainerStatuses: init }),
    containerStatuses: main,
    qosClass: pod.status?.qosClass ?? qosClassOf(pod),
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
  };
}

function podIps(input: StatusInput): readonly string[] {
  if (input.view.pod.spec.hostNetwork) return input.hostIps;
  const ips = input.view.sandbox?.ips ?? [];
  // Addresses that a stopped sandbox had stay in the status.
  return ips.length > 0 ? ips : (input.view.pod.status?.podIPs ?? []).map(({ ip }) => ip);
}

function dated(condition: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>, pod: Pod, nowMs: number): PodCondition {
  const before = podCondition(pod, condition.type);
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : toTime(nowMs);
  return {
    ...condition,
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    ...(lastTransitionTime !== undefined && { lastTransitionTime }),
  } as PodCondition;
}

/** The status of a pod that this node refuses to run. */
export function rejectedStatus(pod: Pod, refusal: { reason: string; message: string }, nowMs: number): PodStatus {
  return {
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    phase: 'Failed',
    reason: refusal.reason,
    message: `Pod was rejected: ${refusal.message}`,
    startTime: pod.status?.startTime ?? toTime(nowMs),
    qosClass: pod.status?.qosClass ?? qosClassOf(pod),
  };
}
