// One pod on its node: observe, plan, act, report — again whenever something happened, in turns. What takes long (pulls, starts,
// stops) runs beside the turns and asks for another one when it is done.
import { isPodTerminal } from '#api/core/pod-state.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { pods } from '#api/generated/resources.ts';
import { isConflict, isNotFound } from '#api/meta/errors.ts';
import type { Refusal } from './admission.ts';
import { graceOf } from './container-lifecycle.ts';
import { tellPod } from './context.ts';
import { identityOf } from './identity.ts';
import type { Plan } from './plan.ts';
import { planPod, podText } from './plan.ts';
import { adoptPod } from './pod-adoption.ts';
import { deadlineOf, deservesTurn } from './pod-changes.ts';
import type { StartMemory, StarterServices } from './pod-starter.ts';
import { bringUp, podIpsOf } from './pod-starter.ts';
import type { Stopper } from './pod-stopper.ts';
import { createStopper } from './pod-stopper.ts';
import type { PodView } from './pod-view.ts';
import { viewPod } from './pod-view.ts';
import type { ProbeManager } from './probes/probe-manager.ts';
import { podStatus, rejectedStatus } from './status.ts';
import type { StatusWriter } from './status-writer.ts';
import { readTerminationMessages } from './termination-messages.ts';
import type { Turns } from './turns.ts';
import { createTurns } from './turns.ts';

export interface PodWorkerServices extends StarterServices {
  statuses: StatusWriter;
  probes: ProbeManager;
  /** Asked once, before anything of the pod runs. */
  admit(pod: Pod): Refusal | undefined;
  /** The pod is gone and nothing of it is left. */
  forgotten(uid: string): void;
}

const errorRetryMs = 1000;
const orphanGraceSeconds = 1;

export class PodWorker {
  /** As the watch last brought it. */
  pod: Pod;
  /** Refused, or nothing of it will run again: its resources are free. */
  isOver = false;
  readonly #uid: string;
  readonly #services: PodWorkerServices;
  readonly #stopper: Stopper;
  readonly #turns: Turns;
  readonly #memory: StartMemory = { backOff: new Map(), delayed: new Map(), waiting: new Map(), podFailures: 0 };
  readonly #lastWords = new Map<string, string>();
  #starter: AbortController | undefined;
  #verdict: { phase: 'Failed'; reason: string; message: string } | undefined;
  #toldBackOff: string | undefined;
  #volumesChanged = false;
  #isAdmitted = false;
  #isRejected = false;
  #isRemoved = false;

  constructor(pod: Pod, services: PodWorkerServices) {
    this.pod = pod;
    this.#uid = pod.metadata.uid!;
    this.#services = services;
    const { clock, log } = services.context;
    this.#turns = createTurns(
      clock,
      () => this.#sync(),
      (error) => log.warn({ err: error, pod: podText(this.pod) }, 'pod not synced, will be tried again'),
    );
    this.#stopper = createStopper(services.context, this.#turns.kick);
  }

  update(next: Pod): void {
    const before = this.pod;
    this.pod = next;
    const isNews = this.#services.statuses.observe(next);
    if (deservesTurn(before, next, isNews)) this.#turns.kick();
  }

  /** The pod is gone from the API server: whatever runs is ended. */
  remove(): void {
    this.#isRemoved = true;
    this.#turns.kick();
  }

  /** Look again. */
  kick(): void {
    this.#turns.kick();
  }

  /** Stops working without touching what runs. */
  abandon(): void {
    this.#turns.stop();
    this.#starter?.abort(new Error('the kubelet stops'));
    this.#services.context.objects.release(this.#uid);
  }

  async #sync(): Promise<void> {
    const { context, statuses, admit } = this.#services;
    if (!this.#isAdmitted && !this.#isEnding()) await adoptPod(this.pod, context);
    const view = viewPod(statuses.latest(this.pod), await context.runtime.pods(this.#uid));
    await readTerminationMessages(view, this.#lastWords, context);
    if (!this.#isAdmitted && !this.#isEnding()) {
      const refusal = view.sandbox === undefined ? admit(this.pod) : undefined;
      if (refusal !== undefined) return this.#reject(refusal);
      // Volumes of a pod that an earlier kubelet started are taken over at the first turn.
      this.#volumesChanged = view.sandbox !== undefined;
      this.#isAdmitted = true;
    }
    const deadlineMs = deadlineOf(view.pod);
    if (deadlineMs !== undefined && context.clock.now() >= deadlineMs && !this.#isEnding()) {
      this.#verdict = {
        phase: 'Failed',
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      };
      this.#tell('Normal', this.#verdict.reason, this.#verdict.message);
    }
    if (this.#isEnding()) await this.#end(view);
    else await this.#keepUp(view, deadlineMs);
  }

  #isEnding(): boolean {
    const isDeleted = this.pod.metadata.deletionTimestamp !== undefined;
    return this.#isRemoved || isDeleted || this.#verdict !== undefined || isPodTerminal(this.pod);
  }

  #reject(refusal: Refusal): void {
    const { statuses, context } = this.#services;
    this.isOver = true;
    this.#isRejected = true;
    this.#verdict = { phase: 'Failed', ...refusal };
    this.#tell('Warning', refusal.reason, refusal.message);
    statuses.report(this.pod, rejectedStatus(this.pod, refusal, context.clock.now()), true);
  }

  async #keepUp(view: PodView, deadlineMs: number | undefined): Promise<void> {
    const { context, probes, volumes } = this.#services;
    this.#syncProbes(view, false);
    const plan = planPod({
      view,
      nowMs: context.clock.now(),
      probe: probes.verdict,
      backOff: this.#memory.backOff,
      delayed: this.#memory.delayed,
      stopping: this.#stopper.stopping,
    });
    if (plan.finished !== undefined) return this.#end(view);
    this.#tellBackOff(view, plan);
    const wantsStart = plan.starts.length > 0;
    this.#report(view, { plan, ended: false, settled: !wantsStart && this.#starter === undefined });
    for (const { view: container, message, reason } of plan.stops) {
      const graceSeconds = container.spec[`${reason as 'liveness' | 'startup'}Probe`]?.terminationGracePeriodSeconds ?? graceOf(view.pod);
      this.#stopper.stop(view, container, { graceSeconds, message });
    }
    for (const id of plan.removals) await context.runtime.removeContainer(id);
    if (this.#starter === undefined) {
      if (wantsStart) this.#launch(view, plan);
      else if (view.sandbox?.ready) await this.#refreshVolumes(view);
    }
    this.#turns.wakeAt(earliest(plan.wakeAtMs, deadlineMs, volumes.refreshAtMs(this.#uid)));
  }

  #launch(view: PodView, plan: Plan): void {
    const { context } = this.#services;
    const abort = new AbortController();
    this.#starter = abort;
    const { pod } = this;
    const run = {
      pod,
      view,
      plan,
      memory: this.#memory,
      signal: abort.signal,
      progressed: this.#turns.kick,
      volumesChanged: this.#onVolumesChanged,
    };
    bringUp(run, this.#services)
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        context.log.warn({ err: error, pod: podText(pod) }, 'pod not brought up, will be tried again');
        const untilMs = context.clock.now() + errorRetryMs;
        for (const { view: container } of plan.starts) this.#memory.delayed.set(container.spec.name, { untilMs });
      })
      .finally(() => {
        this.#starter = undefined;
        this.#turns.kick();
      })
      .catch(() => undefined);
  }

  #onVolumesChanged = (): void => {
    this.#volumesChanged = true;
    this.#turns.kick();
  };

  async #refreshVolumes(view: PodView): Promise<void> {
    const { context, volumes } = this.#services;
    const isDue = (volumes.refreshAtMs(this.#uid) ?? Number.POSITIVE_INFINITY) <= context.clock.now();
    if (context.runtime.withoutFiles || !(this.#volumesChanged || isDue)) return;
    this.#volumesChanged = false;
    try {
      await volumes.mount(this.pod, podIpsOf(this.pod, view.sandbox, context), this.#onVolumesChanged);
    } catch (error) {
      this.#tell('Warning', 'FailedMount', error instanceof Error ? error.message : String(error));
    }
  }

  #report(view: PodView, { plan, ended, settled }: { plan?: Plan; ended: boolean; settled: boolean }): void {
    const { context, probes, statuses } = this.#services;
    const status = podStatus({
      view,
      nowMs: context.clock.now(),
      runtimeName: context.runtimeName,
      hostIps: context.hostIps,
      probe: probes.verdict,
      waiting: ended ? new Map() : new Map([...this.#memory.waiting, ...(plan?.backingOff ?? [])]),
      terminationMessages: this.#lastWords,
      ended,
      ...(this.#verdict !== undefined && { verdict: this.#verdict }),
    });
    statuses.report(this.pod, status, settled);
  }

  /** Ends what runs; told again and again until nothing does. */
  async #end(view: PodView): Promise<void> {
    const { context, probes, images, volumes } = this.#services;
    this.#turns.wakeAt(undefined);
    if (this.#starter !== undefined) {
      // Its end asks for another turn.
      this.#starter.abort(new Error('the pod ends'));
      return;
    }
    this.#syncProbes(view, true);
    const graceSeconds = this.#isRemoved ? Math.min(graceOf(view.pod), orphanGraceSeconds) : graceOf(view.pod);
    if (this.#stopper.stopAll(view, graceSeconds)) {
      if (!this.#isRemoved) this.#report(view, { ended: false, settled: true });
      return;
    }
    for (const sandbox of [...(view.sandbox ? [view.sandbox] : []), ...view.olderSandboxes]) {
      if (sandbox.ready) await context.runtime.stopSandbox(sandbox.id);
    }
    this.isOver = true;
    probes.forget(this.#uid);
    images.forget(this.#uid);
    await volumes.unmount(this.#uid);
    if (this.#isRemoved) return this.#discard(view);
    if (!this.#isRejected) this.#report(withStoppedSandbox(view), { ended: true, settled: true });
    if (this.pod.metadata.deletionTimestamp !== undefined) await this.#confirmDeletion();
  }

  /** The API server keeps a deleted pod until its node says that nothing of it runs any more. */
  async #confirmDeletion(): Promise<void> {
    const { context, statuses } = this.#services;
    await statuses.flushed(this.#uid);
    if (this.#isRemoved) return;
    const ref = { namespace: this.pod.metadata.namespace!, name: this.pod.metadata.name! };
    try {
      await context.client.delete(pods, ref, { gracePeriodSeconds: 0, preconditions: { uid: this.#uid } });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #discard(view: PodView): Promise<void> {
    const { context, statuses, volumes, forgotten } = this.#services;
    for (const instance of view.instances) await context.runtime.removeContainer(instance.id);
    for (const sandbox of [...(view.sandbox ? [view.sandbox] : []), ...view.olderSandboxes])
      await context.runtime.removeSandbox(sandbox.id);
    await volumes.remove(identityOf(this.pod));
    statuses.forget(this.#uid);
    this.#turns.stop();
    forgotten(this.#uid);
  }

  #syncProbes(view: PodView, ending: boolean): void {
    const { context, probes } = this.#services;
    probes.sync(view, { podIp: podIpsOf(this.pod, view.sandbox, context)[0], ending, changed: this.#turns.kick });
  }

  #tellBackOff(view: PodView, plan: Plan): void {
    for (const name of plan.backingOff.keys()) {
      const id = [...view.init, ...view.main].find(({ spec }) => spec.name === name)?.current?.id;
      // Once for each time that the container ended.
      if (id === undefined || this.#toldBackOff === id) continue;
      this.#toldBackOff = id;
      this.#tell('Warning', 'BackOff', `Back-off restarting failed container ${name} in pod ${podText(this.pod)}`, name);
    }
  }

  #tell(type: 'Normal' | 'Warning', reason: string, message: string, container?: string): void {
    tellPod(this.#services.context, this.pod, { type, reason, message, ...(container !== undefined && { container }) });
  }
}

function withStoppedSandbox(view: PodView): PodView {
  return view.sandbox === undefined ? view : { ...view, sandbox: { ...view.sandbox, ready: false } };
}

function earliest(...moments: (number | undefined)[]): number | undefined {
  const known = moments.filter((moment) => moment !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
