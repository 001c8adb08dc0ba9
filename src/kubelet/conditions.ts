// The conditions that a kubelet reports of a pod, with upstream's reasons and messages.
import type { ContainerStatus, Pod, PodCondition } from '#api/generated/core-v1.ts';
import { isSidecar } from '#api/core/pod-requests.ts';
import { podCondition } from '#api/core/pod-state.ts';
import type { Phase } from './pod-phase.ts';

type Verdict = Pick<PodCondition, 'status' | 'reason' | 'message'>;

export interface ConditionInput {
  pod: Pod;
  phase: Phase;
  init: readonly ContainerStatus[];
  main: readonly ContainerStatus[];
  /** The sandbox stands and has its network. */
  sandboxReady: boolean;
}

const yes: Verdict = { status: 'True' };

/** In the order that upstream writes them. */
export function podConditions(input: ConditionInput): (Verdict & { type: string })[] {
  const containersReady = containersReadyVerdict(input);
  return [
    { type: 'PodReadyToStartContainers', status: input.sandboxReady ? 'True' : 'False' },
    { type: 'Initialized', ...initializedVerdict(input) },
    { type: 'Ready', ...readyVerdict(input.pod, containersReady) },
    { type: 'ContainersReady', ...containersReady },
    { type: 'PodScheduled', status: 'True' },
  ];
}

function initializedVerdict({ pod, phase, init, main }: ConditionInput): Verdict {
  const containers = pod.spec.initContainers ?? [];
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of containers) {
    const status = init.find((entry) => entry.name === container.name);
    if (status === undefined) unknown.push(container.name);
    else if (isSidecar(container) ? status.started !== true : !status.ready) incomplete.push(container.name);
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' };
  // An ordinary container that exists proves that initialisation is over, whatever became of the sidecars.
  if (main.some(({ state }) => state?.running !== undefined || state?.terminated !== undefined)) return yes;
  const message = problems([unknown, 'unknown'], [incomplete, 'incomplete']);
  return message === '' ? yes : { status: 'False', reason: 'ContainersNotInitialized', message };
}

function containersReadyVerdict({ pod, phase, init, main }: ConditionInput): Verdict {
  const unknown: string[] = [];
  const unready: string[] = [];
  const judge = (name: string, statuses: readonly ContainerStatus[]): void => {
    const status = statuses.find((entry) => entry.name === name);
    if (status === undefined) unknown.push(name);
    else if (!status.ready) unready.push(name);
  };
  for (const container of pod.spec.initContainers ?? []) if (isSidecar(container)) judge(container.name, init);
  for (const container of pod.spec.containers) judge(container.name, main);
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed' && unknown.length === 0) return { status: 'False', reason: 'PodFailed' };
  const message = problems([unknown, 'unknown'], [unready, 'unready']);
  return message === '' ? yes : { status: 'False', reason: 'ContainersNotReady', message };
}

function readyVerdict(pod: Pod, containersReady: Verdict): Verdict {
  if (containersReady.status !== 'True') return containersReady;
  const missing: string[] = [];
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const condition = podCondition(pod, conditionType);
    if (condition === undefined) missing.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (condition.status !== 'True') {
      missing.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`);
    }
  }
  return missing.length === 0 ? yes : { status: 'False', reason: 'ReadinessGatesNotReady', message: missing.join(', ') };
}

function problems(...lists: [string[], string][]): string {
  return lists
    .filter(([names]) => names.length > 0)
    .map(([names, what]) => `containers with ${what} status: [${names.join(' ')}]`)
    .join(', ');
}
