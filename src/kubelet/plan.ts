// What to do next for one pod, as a pure function of its spec, the runtime's state, probe results and the time.
// It mirrors the order of upstream's kubelet: init containers one by one, sidecars on the way, then the ordinary containers;
// it is level-based, so a restarted kubelet that sees running containers plans nothing for them.
import type { Pod } from '#api/generated/core-v1.ts';
import type { BackOff } from './backoff.ts';
import { backOffUntil } from './backoff.ts';
import type { ContainerView, PodView } from './pod-view.ts';
import { containersOf, isInitialized, isRunning, nextAttempt } from './pod-view.ts';

/** What probes say of one running container; absent probes count as passed. */
export interface ProbeVerdict {
  started: boolean;
  ready: boolean;
  /** The probe that asks for a restart. */
  failed?: 'liveness' | 'startup';
}

export interface Waiting {
  reason: string;
  message?: string;
}

export interface PlanInput {
  view: PodView;
  nowMs: number;
  /** By container id. */
  probe(containerId: string): ProbeVerdict | undefined;
  /** Crash back-off by container name. */
  backOff: ReadonlyMap<string, BackOff>;
  /** Containers that could not be started: not to be tried before `untilMs`. */
  delayed: ReadonlyMap<string, { untilMs: number }>;
  /** Ids of containers that are being stopped already. */
  stopping: ReadonlySet<string>;
}

type Start = { view: ContainerView; attempt: number };

export interface Plan {
  /** The pod is over: nothing will run again. Everything that is left is stopped. */
  finished?: { phase: 'Succeeded' | 'Failed' };
  /** The sandbox died under the pod: what is left of it must go first. */
  replaceSandbox: boolean;
  /** A sandbox with this attempt is needed. */
  createSandbox?: number;
  /** In this order. */
  starts: Start[];
  stops: { view: ContainerView; reason: 'liveness' | 'startup' | 'other'; message: string }[];
  /** Dead instances that nobody needs any more. */
  removals: string[];
  /** Containers held back by their crash back-off, for the status. */
  backingOff: Map<string, Waiting>;
  /** When to look again if nothing happens before. */
  wakeAtMs?: number;
}

type Wish = 'keep' | 'start' | 'wait' | 'done' | 'failed';

export function planPod(input: PlanInput): Plan {
  const { view } = input;
  const plan: Plan = { replaceSandbox: false, starts: [], stops: [], removals: staleInstances(view), backingOff: new Map() };
  const finished = outcome(input);
  if (finished !== undefined) {
    plan.finished = finished;
    return plan;
  }
  planStops(input, plan);
  const usable = view.sandbox?.ready === true;
  if (!usable && view.sandbox !== undefined) plan.replaceSandbox = true;
  planStarts(input, plan, usable);
  // The sandbox comes with the first container: nothing to start, nothing to stand on.
  if (!usable && plan.starts.length > 0) plan.createSandbox = view.sandbox === undefined ? 0 : view.sandbox.attempt + 1;
  return plan;
}

function planStops(input: PlanInput, plan: Plan): void {
  for (const view of [...input.view.init, ...input.view.main]) {
    if (!isRunning(view) || input.stopping.has(view.current!.id)) continue;
    const failed = input.probe(view.current!.id)?.failed;
    if (failed === undefined) continue;
    const restarts = mayRestart(view, input.view.pod, 1);
    const message = `Container ${view.spec.name} failed ${failed} probe${restarts ? ', will be restarted' : ''}`;
    plan.stops.push({ view, reason: failed, message });
  }
}

function planStarts(input: PlanInput, plan: Plan, usable: boolean): void {
  const { view } = input;
  const initialized = usable && isInitialized(view);
  for (const container of view.init) {
    if (initialized) {
      // Regular init containers never run again in this sandbox; sidecars are kept alive.
      if (container.kind === 'sidecar' && wishFor(input, plan, container, usable) === 'start') start(plan, container);
      continue;
    }
    const wish = wishFor(input, plan, container, usable);
    if (wish === 'start') start(plan, container);
    const passed = container.kind === 'sidecar' ? isStarted(input, container, usable) : wish === 'done';
    if (!passed) return;
  }
  for (const container of view.main) if (wishFor(input, plan, container, usable) === 'start') start(plan, container);
  if (!usable) return;
  for (const container of view.ephemeral) {
    if (container.current === undefined && !isDelayed(input, plan, container)) start(plan, container);
  }
}

function start(plan: Plan, view: ContainerView): void {
  plan.starts.push({ view, attempt: nextAttempt(view) });
}

/** A sidecar lets its successors start once it runs and its startup probe has passed. */
function isStarted(input: PlanInput, container: ContainerView, usable: boolean): boolean {
  if (!usable || !container.inSandbox || !isRunning(container)) return false;
  return input.probe(container.current!.id)?.started ?? container.spec.startupProbe === undefined;
}

function wishFor(input: PlanInput, plan: Plan, container: ContainerView, usable: boolean): Wish {
  const { current } = container;
  const policyFits = current === undefined || mayRestart(container, input.view.pod, exitCodeOf(current));
  if (!usable || current === undefined || !container.inSandbox) {
    // In a new sandbox init containers run again; an ordinary container that is done stays done.
    if (container.kind === 'main' && current?.state === 'exited' && !policyFits) return 'done';
    return isDelayed(input, plan, container) ? 'wait' : 'start';
  }
  if (current.state === 'running') return 'keep';
  if (current.state === 'exited') {
    if (container.kind === 'init' && current.exitCode === 0) return 'done';
    if (!policyFits) return current.exitCode === 0 ? 'done' : 'failed';
    if (isBackingOff(input, plan, container)) return 'wait';
  }
  return isDelayed(input, plan, container) ? 'wait' : 'start';
}

function isBackingOff(input: PlanInput, plan: Plan, container: ContainerView): boolean {
  const { current, spec } = container;
  const entry = input.backOff.get(spec.name);
  const untilMs = backOffUntil(entry, current!.finishedAtMs ?? current!.createdAtMs, input.nowMs);
  if (untilMs === undefined) return false;
  wakeBy(plan, untilMs);
  const message = `back-off ${goDuration(entry!.delayMs)} restarting failed container=${spec.name} pod=${podText(input.view.pod)}`;
  plan.backingOff.set(spec.name, { reason: 'CrashLoopBackOff', message });
  return true;
}

function isDelayed(input: PlanInput, plan: Plan, container: ContainerView): boolean {
  const untilMs = input.delayed.get(container.spec.name)?.untilMs;
  if (untilMs === undefined || input.nowMs >= untilMs) return false;
  wakeBy(plan, untilMs);
  return true;
}

function wakeBy(plan: Plan, ms: number): void {
  plan.wakeAtMs = plan.wakeAtMs === undefined ? ms : Math.min(plan.wakeAtMs, ms);
}

/** Whether the container's own rules, its policy or the pod's bring it back after this exit code. */
export function mayRestart(container: ContainerView, pod: Pod, exitCode: number): boolean {
  const { spec, kind } = container;
  if (kind === 'sidecar') return true;
  if (kind === 'ephemeral') return false;
  for (const rule of spec.restartPolicyRules ?? []) {
    const values = rule.exitCodes?.values ?? [];
    const matches = rule.exitCodes?.operator === 'NotIn' ? !values.includes(exitCode) : values.includes(exitCode);
    if (matches && rule.action === 'Restart') return true;
  }
  const policy = spec.restartPolicy ?? pod.spec.restartPolicy ?? 'Always';
  if (kind === 'init') return policy !== 'Never' && exitCode !== 0;
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/** The pod's end, if no container will run again. */
function outcome({ view }: PlanInput): Plan['finished'] {
  const { pod } = view;
  const initialized = view.main.some((container) => container.current !== undefined);
  if (!initialized) {
    const failed = view.init.some(
      ({ current, ...rest }) =>
        rest.kind === 'init' && current?.state === 'exited' && current.exitCode !== 0 && !mayRestart(rest, pod, exitCodeOf(current)),
    );
    return failed ? { phase: 'Failed' } : undefined;
  }
  let succeeded = true;
  for (const container of view.main) {
    const { current } = container;
    if (current?.state !== 'exited' || mayRestart(container, pod, exitCodeOf(current))) return undefined;
    if (current.exitCode !== 0) succeeded = false;
  }
  return { phase: succeeded ? 'Succeeded' : 'Failed' };
}

function exitCodeOf(current: { exitCode?: number }): number {
  return current.exitCode ?? 137;
}

/** One dead instance of each container is kept for `kubectl logs --previous`; older ones go. */
function staleInstances(view: PodView): string[] {
  const stale: string[] = [];
  const keep = new Set<string>();
  for (const container of containersOf(view)) {
    if (container.current !== undefined) keep.add(container.current.id);
    if (container.previous !== undefined) keep.add(container.previous.id);
  }
  for (const instance of view.instances) {
    if (!keep.has(instance.id) && (instance.state === 'exited' || instance.state === 'created')) stale.push(instance.id);
  }
  return stale;
}

/** `name_namespace(uid)`, as upstream's messages name a pod. */
export function podText(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}

/** Whole seconds as Go prints a duration: `10s`, `2m40s`, `5m0s`. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
