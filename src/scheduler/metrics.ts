// The scheduler's metrics, under upstream's names.
import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { SchedulingQueue } from './queue.ts';

export interface SchedulerMetrics {
  attempted(result: 'scheduled' | 'unschedulable' | 'error', seconds: number): void;
  bound(seconds: number, attempts: number): void;
}

export function createSchedulerMetrics(
  registry: Registry | undefined,
  counts: () => SchedulingQueue['counts'],
  profile: string,
): SchedulerMetrics {
  if (registry === undefined) return { attempted() {}, bound() {} };
  const registers = [registry];
  const attempts = new Counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Number of attempts to schedule pods, by the result.',
    labelNames: ['result', 'profile'],
    registers,
  });
  const durations = new Histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Scheduling attempt latency in seconds.',
    labelNames: ['result', 'profile'],
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const sli = new Histogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: 'Latency from a pod entering the queue until it is bound, in seconds.',
    labelNames: ['attempts'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300],
    registers,
  });
  const pending = new Gauge({
    name: 'scheduler_pending_pods',
    help: 'Number of pending pods, by the queue type.',
    labelNames: ['queue'],
    registers,
    collect() {
      for (const [queue, count] of Object.entries(counts())) pending.set({ queue }, count);
    },
  });
  return {
    attempted(result, seconds) {
      attempts.inc({ result, profile });
      durations.observe({ result, profile }, seconds);
    },
    bound(seconds, tries) {
      sli.observe({ attempts: tries > 15 ? '16+' : String(tries) }, seconds);
    },
  };
}
