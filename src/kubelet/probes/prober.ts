// One probe of one running container: its timer, its thresholds and its verdict.
import type { Container, Pod, Probe } from '#api/generated/core-v1.ts';
import type { Timer } from '#lib/clock.ts';
import type { KubeletContext } from '../context.ts';
import { tellPod } from '../context.ts';
import type { ProbeResult } from './probe.ts';
import { runProbe } from './probe.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

/** The container that is probed; the pod and its address may be replaced while probes go on. */
export interface Probed {
  pod: Pod;
  container: Container;
  containerId: string;
  podIp: string | undefined;
  startedAtMs: number;
  /** Whether the startup probe, if there is one, has passed. */
  isStarted(): boolean;
  /** A verdict turned. */
  turned(prober: Prober): void;
}

export class Prober {
  readonly kind: ProbeKind;
  readonly probe: Probe;
  /** Undefined until a threshold was reached for the first time. */
  result: 'success' | 'failure' | undefined;
  readonly #probed: Probed;
  readonly #context: KubeletContext;
  #timer: Timer | undefined;
  #latest: 'success' | 'failure' | undefined;
  #run = 0;
  #isBusy = false;
  #isStopped = false;

  constructor(kind: ProbeKind, probe: Probe, probed: Probed, context: KubeletContext) {
    this.kind = kind;
    this.probe = probe;
    this.#probed = probed;
    this.#context = context;
  }

  start(): void {
    const { clock } = this.#context;
    const sinceStartMs = clock.now() - this.#probed.startedAtMs;
    this.#timer = clock.after(Math.max(0, this.#initialDelayMs() - sinceStartMs), () => {
      this.#timer = clock.every((this.probe.periodSeconds ?? 10) * 1000, this.probeNow);
      this.probeNow();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Does nothing while it is not this probe's turn. */
  probeNow = (): void => {
    const isStarted = this.#probed.isStarted();
    // Until the startup probe has passed it is the only one; afterwards it is done.
    if (this.#isStopped || this.#isBusy || (this.kind === 'startup' ? isStarted : !isStarted)) return;
    if (this.#context.clock.now() - this.#probed.startedAtMs < this.#initialDelayMs()) return;
    this.#isBusy = true;
    runProbe(this.probe, { ...this.#probed, kind: this.kind }, this.#context.runtime)
      .then((result) => {
        this.#isBusy = false;
        if (!this.#isStopped) this.#judge(result);
      })
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'probe ended unexpectedly'));
  };

  #initialDelayMs(): number {
    return (this.probe.initialDelaySeconds ?? 0) * 1000;
  }

  #judge({ outcome, output }: ProbeResult): void {
    const word = `${this.kind[0]!.toUpperCase()}${this.kind.slice(1)}`;
    if (outcome === 'unknown') return this.#tell(`${word} probe errored and resulted in unknown state: ${output}`);
    if (outcome === 'failure') this.#tell(`${word} probe failed: ${output}`);
    this.#run = this.#latest === outcome ? this.#run + 1 : 1;
    this.#latest = outcome;
    const threshold = outcome === 'success' ? (this.probe.successThreshold ?? 1) : (this.probe.failureThreshold ?? 3);
    if (this.#run < threshold || this.result === outcome) return;
    this.result = outcome;
    if (this.kind === 'startup' && outcome === 'success') this.stop();
    this.#probed.turned(this);
  }

  #tell(message: string): void {
    const { pod, container } = this.#probed;
    tellPod(this.#context, pod, { type: 'Warning', reason: 'Unhealthy', message, container: container.name });
  }
}
