// What the controllers count, under upstream's names so that existing dashboards work.
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { WorkQueueMetrics } from '#client/workqueue.ts';

export interface ControllerMetrics {
  queue(name: string): WorkQueueMetrics;
  reconciled(controller: string, result: 'success' | 'error' | 'requeue_after', seconds: number): void;
}

const queueBuckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10];

export function createControllerMetrics(registry: Registry): ControllerMetrics {
  const registers = [registry];
  const labelNames = ['name'];
  const depth = new Gauge({ name: 'workqueue_depth', help: 'Current depth of workqueue', labelNames, registers });
  const adds = new Counter({ name: 'workqueue_adds_total', help: 'Total number of adds handled by workqueue', labelNames, registers });
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Total number of retries handled by workqueue',
    labelNames,
    registers,
  });
  const waited = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long in seconds an item stays in workqueue before being requested.',
    labelNames,
    buckets: queueBuckets,
    registers,
  });
  const worked = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long in seconds processing an item from workqueue takes.',
    labelNames,
    buckets: queueBuckets,
    registers,
  });
  const results = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Total number of reconciliations per controller',
    labelNames: ['controller', 'result'],
    registers,
  });
  const seconds = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Length of time per reconciliation per controller',
    labelNames: ['controller'],
    registers,
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
