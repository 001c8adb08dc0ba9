// What the controllers count, under upstream's names so that existing dashboards work.
import type { CounterConfiguration, GaugeConfiguration, HistogramConfiguration, Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { WorkQueueMetrics } from '#client/workqueue.ts';

export interface ControllerMetrics {
  queue(name: string): WorkQueueMetrics;
  reconciled(controller: string, result: 'success' | 'error' | 'requeue_after', seconds: number): void;
}

const queueBuckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10];
const byName = ['name'];

/** Controllers that start again, with leadership lost and won back, go on counting in the same registry. */
export function createControllerMetrics(registry: Registry): ControllerMetrics {
  const registers = [registry];
  const counter = (config: CounterConfiguration<string>): Counter =>
    (registry.getSingleMetric(config.name) as Counter | undefined) ?? new Counter({ ...config, registers });
  const gauge = (config: GaugeConfiguration<string>): Gauge =>
    (registry.getSingleMetric(config.name) as Gauge | undefined) ?? new Gauge({ ...config, registers });
  const histogram = (config: HistogramConfiguration<string>): Histogram =>
    (registry.getSingleMetric(config.name) as Histogram | undefined) ?? new Histogram({ ...config, registers });

  const depth = gauge({ name: 'workqueue_depth', help: 'Current depth of workqueue', labelNames: byName });
  const adds = counter({ name: 'workqueue_adds_total', help: 'Total number of adds handled by workqueue', labelNames: byName });
  const retries = counter({ name: 'workqueue_retries_total', help: 'Total number of retries handled by workqueue', labelNames: byName });
  const waited = histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long in seconds an item stays in workqueue before being requested.',
    labelNames: byName,
    buckets: queueBuckets,
  });
  const worked = histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long in seconds processing an item from workqueue takes.',
    labelNames: byName,
    buckets: queueBuckets,
  });
  const results = counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Total number of reconciliations per controller',
    labelNames: ['controller', 'result'],
  });
  const seconds = histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Length of time per reconciliation per controller',
    labelNames: ['controller'],
  });
  return {
    queue(name) {
      const [depthOf, addsOf, retriesOf] = [depth.labels(name), adds.labels(name), retries.labels(name)];
      const [waitedOf, workedOf] = [waited.labels(name), worked.labels(name)];
      return {
        depth: (size) => depthOf.set(size),
        added: () => addsOf.inc(),
        retried: () => retriesOf.inc(),
        waited: (duration) => waitedOf.observe(duration),
        worked: (duration) => workedOf.observe(duration),
      };
    },
    reconciled(controller, result, duration) {
      results.inc({ controller, result });
      seconds.observe({ controller }, duration);
    },
  };
}
