// /metrics of the API server, with upstream's names: how many requests, how long they took, how many are under way.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { methodNotAllowed } from '#api/meta/errors.ts';
import type { Clock } from '#lib/clock.ts';
import { isRead, type PathHandler } from '../paths.ts';
import type { RequestContext, RequestInfo } from '../request.ts';
import type { AuditTrail } from '../server.ts';

export interface ServerMetrics {
  /** For components of the same process that add their own. */
  registry: Registry;
  /** Notes every request; give it to the server, together with the audit log if there is one. */
  trail: AuditTrail;
  handle: PathHandler;
}

/** Upstream's buckets, in seconds. */
const buckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const labels = ['verb', 'dry_run', 'group', 'version', 'resource', 'subresource', 'scope', 'component'] as const;
const shownVerbs: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' };
const connected = new Set(['exec', 'attach', 'portforward', 'proxy']);

export function createMetrics(options: {
  clock: Clock;
  gitVersion: string;
  watchers(): number;
  /** Keeps made-up names out of the labels. */
  isServed(info: RequestInfo): boolean;
}): ServerMetrics {
  const registry = new Registry();
  const registers = [registry];
  const total = new Counter({
    name: 'apiserver_request_total',
    help: 'Requests by verb, resource and HTTP status code.',
    labelNames: [...labels, 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Time from a request to its answer, in seconds; long-running requests are left out.',
    labelNames: labels,
    buckets,
    registers,
  });
  const inflight = new Gauge({
    name: 'apiserver_current_inflight_requests',
    help: 'Requests under way that are not long-running.',
    labelNames: ['request_kind'],
    registers,
  });
  addGauges(registry, options);

  const trail: AuditTrail = {
    received(_request, context) {
      const { info } = context;
      const longRunning = isLongRunning(context);
      const started = options.clock.monotonicMs();
      const kind = { request_kind: ['get', 'list', 'watch'].includes(info.verb) ? 'readOnly' : 'mutating' };
      if (!longRunning) inflight.inc(kind);
      return {
        completed({ status }) {
          const values = labelsOf(context, options.isServed(info));
          total.inc({ ...values, code: String(status) });
          if (longRunning) return;
          inflight.dec(kind);
          duration.observe(values, (options.clock.monotonicMs() - started) / 1000);
        },
      };
    },
  };
  return { registry, trail, handle: metricsPage(registry) };
}

/** Answers `/metrics` from any registry. */
function metricsPage(registry: Registry): PathHandler {
  return async (request) => {
    if (request.path !== '/metrics') return undefined;
    if (!isRead(request)) throw methodNotAllowed();
    return { status: 200, headers: { 'content-type': registry.contentType }, body: Buffer.from(await registry.metrics()) };
  };
}

export function combineTrails(trails: readonly AuditTrail[]): AuditTrail {
  return {
    received(request, context) {
      const entries = trails.map((trail) => trail.received(request, context));
      const id = entries.find((entry) => entry.id !== undefined)?.id;
      return {
        ...(id !== undefined && { id }),
        completed(outcome) {
          for (const entry of entries) entry.completed(outcome);
        },
      };
    },
  };
}

function isLongRunning({ info, query }: RequestContext): boolean {
  if (info.verb === 'watch' || connected.has(info.subresource)) return true;
  return info.subresource === 'log' && query.get('follow') === 'true';
}

function labelsOf({ info, query }: RequestContext, served: boolean): Record<(typeof labels)[number], string> {
  const known = info.isResourceRequest && served;
  const scope = !known ? '' : info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster';
  return {
    verb: connected.has(info.subresource) ? 'CONNECT' : (shownVerbs[info.verb] ?? info.verb.toUpperCase()),
    dry_run: query.get('dryRun') === 'All' ? 'All' : '',
    group: known ? info.group : '',
    version: known ? info.version : '',
    resource: known ? info.resource : '',
    subresource: known ? info.subresource : '',
    scope,
    component: 'apiserver',
  };
}

function addGauges(registry: Registry, options: { gitVersion: string; watchers(): number }): void {
  const gauge = (name: string, help: string, read: () => number) => {
    const made: Gauge = new Gauge({ name, help, registers: [registry], collect: () => made.set(read()) });
  };
  gauge('apiserver_longrunning_requests', 'Watches that are open.', options.watchers);
  gauge('process_resident_memory_bytes', 'Resident memory of the process, which may hold several clusters.', () =>
    process.memoryUsage.rss(),
  );
  gauge('process_cpu_seconds_total', 'CPU time of the process, which may hold several clusters.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  const build = new Gauge({
    name: 'kubernetes_build_info',
    help: 'Always 1; the version is in the labels.',
    labelNames: ['major', 'minor', 'git_version'],
    registers: [registry],
  });
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(options.gitVersion) ?? [];
  build.set({ major, minor, git_version: options.gitVersion }, 1);
}
