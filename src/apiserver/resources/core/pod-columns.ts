// What `kubectl get pods` shows: one word for the state of a pod, derived from its phase, conditions and containers.
import { isSidecar } from '#api/core/pod-requests.ts';
import type { ContainerStateTerminated, ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import { isConditionTrue } from '#api/meta/conditions.ts';
import type { Column } from '../resource.ts';
import { age, ageCell, nameCell } from '../table-cells.ts';

export const podColumns: readonly Column<Pod>[] = [
  nameCell,
  (pod) => {
    const { ready, total } = summarize(pod);
    return `${ready}/${total}`;
  },
  (pod) => summarize(pod).reason,
  (pod, { now }) => {
    const { restarts, lastRestart } = summarize(pod);
    return restarts > 0 && lastRestart ? `${restarts} (${age(lastRestart, now)} ago)` : String(restarts);
  },
  ageCell,
  (pod) => pod.status?.podIPs?.[0]?.ip || '<none>',
  (pod) => pod.spec?.nodeName || '<none>',
  (pod) => pod.status?.nominatedNodeName || '<none>',
  readinessGatesCell,
];

interface Summary {
  reason: string;
  ready: number;
  total: number;
  restarts: number;
  lastRestart: string | undefined;
}

/** The pod's counts and its state in one word. */
function summarize(pod: Pod): Summary {
  const restartable = restartableInitContainers(pod);
  const conditions = pod.status?.conditions ?? [];
  const gated = conditions.some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated');
  const summary: Summary = {
    reason: gated ? 'SchedulingGated' : pod.status?.reason || pod.status?.phase || '',
    ready: 0,
    total: (pod.spec?.containers?.length ?? 0) + restartable.size,
    restarts: 0,
    lastRestart: undefined,
  };
  const initializing = addInitContainers(summary, pod, restartable);
  if (!initializing || isConditionTrue(conditions, 'Initialized')) addContainers(summary, pod, restartable);
  if (pod.metadata.deletionTimestamp) {
    if (pod.status?.reason === 'NodeLost') summary.reason = 'Unknown';
    else if (pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed') summary.reason = 'Terminating';
  }
  return summary;
}

/** Answers whether the pod is still initializing. */
function addInitContainers(summary: Summary, pod: Pod, restartable: ReadonlySet<string>): boolean {
  for (const [position, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    countRestarts(summary, status);
    const reason = initReason(status, position, pod.spec?.initContainers?.length ?? 0, restartable.has(status.name));
    if (reason === undefined) {
      if (restartable.has(status.name) && status.started && status.ready) summary.ready += 1;
    } else {
      summary.reason = reason;
      return true;
    }
  }
  return false;
}

/** Undefined for an init container that is through, or a sidecar that has started. */
function initReason(status: ContainerStatus, position: number, total: number, restartable: boolean): string | undefined {
  const { terminated, waiting } = status.state ?? {};
  if (terminated?.exitCode === 0 || (restartable && status.started)) return undefined;
  if (terminated) return `Init:${terminatedReason(terminated)}`;
  if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
  return `Init:${position}/${total}`;
}

function addContainers(summary: Summary, pod: Pod, restartable: ReadonlySet<string>): void {
  // Once the pod is initialized, only sidecars among the init containers count as restarted.
  summary.restarts = 0;
  summary.lastRestart = undefined;
  for (const status of pod.status?.initContainerStatuses ?? []) if (restartable.has(status.name)) countRestarts(summary, status);
  let running = false;
  let failure = '';
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    countRestarts(summary, status);
    const { terminated, waiting } = status.state ?? {};
    if (waiting?.reason) summary.reason = waiting.reason;
    else if (terminated) {
      summary.reason = terminatedReason(terminated);
      if (terminated.exitCode !== 0) failure = summary.reason;
    } else if (status.ready && status.state?.running) {
      running = true;
      summary.ready += 1;
    }
  }
  if (summary.reason !== 'Completed') return;
  if (running && isConditionTrue(pod.status?.conditions ?? [], 'Ready')) summary.reason = 'Running';
  else if (failure) summary.reason = failure;
  else if (running) summary.reason = 'NotReady';
}

function countRestarts(summary: Summary, status: ContainerStatus): void {
  summary.restarts += status.restartCount ?? 0;
  const finishedAt = status.lastState?.terminated?.finishedAt;
  if (finishedAt && (!summary.lastRestart || Date.parse(finishedAt) > Date.parse(summary.lastRestart))) summary.lastRestart = finishedAt;
}

function terminatedReason({ reason, signal, exitCode }: ContainerStateTerminated): string {
  if (reason) return reason;
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode ?? 0}`;
}

function restartableInitContainers(pod: Pod): Set<string> {
  const sidecars = (pod.spec?.initContainers ?? []).filter(isSidecar);
  return new Set(sidecars.map(({ name }) => name));
}

function readinessGatesCell(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const met = gates.filter(({ conditionType }) => isConditionTrue(pod.status?.conditions, conditionType));
  return `${met.length}/${gates.length}`;
}
