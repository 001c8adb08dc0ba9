// A pod's phase from its containers' statuses, by upstream's rules.
import type { ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import { isSidecar } from '#api/core/pod-requests.ts';

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export function podPhase(pod: Pod, init: readonly ContainerStatus[], main: readonly ContainerStatus[], ended: boolean): Phase {
  const policy = pod.spec.restartPolicy ?? 'Always';
  const inits = countInit(pod, init, main);
  if (inits.failed > 0 && (policy === 'Never' || ended)) return 'Failed';
  const counts = countMain(main);
  if (inits.pending > 0 && !(ended && counts.stopped > 0)) return ended ? 'Failed' : 'Pending';
  if (counts.waiting > 0) return ended ? 'Failed' : 'Pending';
  if (counts.running > 0) return 'Running';
  if (counts.stopped === 0) return 'Pending';
  if (ended) return counts.stopped === counts.succeeded ? 'Succeeded' : 'Failed';
  if (policy === 'Always') return 'Running';
  if (counts.stopped === counts.succeeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

function countInit(pod: Pod, init: readonly ContainerStatus[], main: readonly ContainerStatus[]): { pending: number; failed: number } {
  const mainBegan = main.some((status) => status.containerID !== undefined || status.lastState?.terminated !== undefined);
  let pending = 0;
  let failed = 0;
  for (const container of pod.spec.initContainers ?? []) {
    const status = init.find((entry) => entry.name === container.name);
    if (isSidecar(container)) {
      if (!mainBegan && !(status?.state?.running !== undefined && status.started === true)) pending++;
      continue;
    }
    const { terminated, waiting } = status?.state ?? {};
    if (terminated !== undefined) {
      if (terminated.exitCode !== 0) failed++;
    } else if (waiting !== undefined && (status?.lastState?.terminated?.exitCode ?? 0) !== 0) {
      failed++;
      if (!mainBegan) pending++;
    } else if (!mainBegan) pending++;
  }
  return { pending, failed };
}

function countMain(main: readonly ContainerStatus[]): { waiting: number; running: number; stopped: number; succeeded: number } {
  const counts = { waiting: 0, running: 0, stopped: 0, succeeded: 0 };
  for (const { state, lastState } of main) {
    if (state?.running !== undefined) counts.running++;
    else if (state?.terminated !== undefined) {
      counts.stopped++;
      if (state.terminated.exitCode === 0) counts.succeeded++;
      // A container that ran before and waits to run again counts as stopped, not as waiting.
    } else if (lastState?.terminated !== undefined) counts.stopped++;
    else counts.waiting++;
  }
  return counts;
}
