// kube-proxy of one node: watches services and endpoint slices, and keeps the node's nftables table as ./ruleset.ts decides.
// Changes that come together are loaded together; a load that fails is tried again with the whole table.
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { endpointslices, services } from '#api/generated/resources.ts';
import type { Informers } from '#client/informer.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Ruleset } from './ruleset.ts';
import { buildRuleset } from './ruleset.ts';
import { deltaScript, fullScript, removalScript, sameBase } from './script.ts';

export interface ProxyOptions {
  informers: Informers;
  nodeName: string;
  /** The node's own address: where node ports are answered. */
  nodeAddress: string;
  podRange: { first: string; last: string };
  serviceCidr: string;
  /** Loads an nftables script where the node's packets pass. */
  loadRuleset: (script: string) => Promise<void>;
  clock: Clock;
  log: Log;
  metrics: Registry;
}

export interface Proxy {
  /** Resolves when the rules of what is known so far are loaded. */
  readonly synced: Promise<void>;
  /** Stops following; rules stay, so that a restart interrupts nobody. */
  stop(): void;
  /** Stops and takes the rules away. */
  cleanUp(): Promise<void>;
}

const gatherMs = 30;
const firstRetryMs = 500;
const maxRetryMs = 30_000;

export function startProxy(options: ProxyOptions): Proxy {
  const { informers, clock, log } = options;
  const metrics = createMetrics(options.metrics);
  const serviceInformer = informers.informer(services);
  const sliceInformer = informers.informer(endpointslices);
  const firstSync = Promise.withResolvers<void>();
  firstSync.promise.catch(() => undefined);
  let loaded: Ruleset | undefined;
  let scheduled = false;
  let running: Promise<void> = Promise.resolve();
  let retryMs = firstRetryMs;
  let stopped = false;

  const sync = async (): Promise<void> => {
    scheduled = false;
    if (stopped || !serviceInformer.hasSynced || !sliceInformer.hasSynced) return;
    const startMs = clock.monotonicMs();
    const ruleset = buildRuleset({
      services: serviceInformer.list(),
      endpointSlices: sliceInformer.list(),
      nodeName: options.nodeName,
      nodeAddresses: [options.nodeAddress],
      podRange: `${options.podRange.first}-${options.podRange.last}`,
      serviceCidr: options.serviceCidr,
    });
    const script = loaded !== undefined && sameBase(loaded, ruleset) ? deltaScript(loaded, ruleset) : fullScript(ruleset);
    try {
      if (script !== undefined) await options.loadRuleset(script);
      loaded = ruleset;
      retryMs = firstRetryMs;
      metrics.duration.observe((clock.monotonicMs() - startMs) / 1000);
      metrics.lastSync.set(clock.now() / 1000);
      firstSync.resolve();
    } catch (error) {
      // The table may have been changed by somebody else: next time all of it is replaced.
      loaded = undefined;
      metrics.failures.inc();
      log.error({ error: (error as Error).message, node: options.nodeName }, 'proxy rules not loaded');
      schedule(retryMs);
      retryMs = Math.min(retryMs * 2, maxRetryMs);
    }
  };
  const schedule = (delayMs: number): void => {
    if (scheduled || stopped) return;
    scheduled = true;
    clock.after(delayMs, () => {
      running = running.then(sync);
    });
  };
  const changed = () => {
    metrics.queued.set(clock.now() / 1000);
    schedule(gatherMs);
  };
  const handlers = { added: changed, updated: changed, deleted: changed };
  const off = [serviceInformer.addHandlers(handlers), sliceInformer.addHandlers(handlers)];
  void Promise.all([serviceInformer.synced, sliceInformer.synced]).then(() => schedule(0), firstSync.reject);

  const stop = (): void => {
    stopped = true;
    for (const remove of off) remove();
  };
  return {
    synced: firstSync.promise,
    stop,
    async cleanUp() {
      stop();
      await running;
      await options.loadRuleset(removalScript);
    },
  };
}

function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    duration: new Histogram({
      name: 'kubeproxy_sync_proxy_rules_duration_seconds',
      help: 'SyncProxyRules latency in seconds',
      buckets: [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384],
      registers,
    }),
    lastSync: new Gauge({
      name: 'kubeproxy_sync_proxy_rules_last_timestamp_seconds',
      help: 'The last time proxy rules were successfully synced',
      registers,
    }),
    queued: new Gauge({
      name: 'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds',
      help: 'The last time a sync of proxy rules was queued',
      registers,
    }),
    failures: new Counter({
      name: 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total',
      help: 'Cumulative proxy nftables sync failures',
      registers,
    }),
  };
}
