// /healthz, /livez and /readyz, with their single checks: what load balancers, kubectl and `keks status` ask.
import { methodNotAllowed } from '#api/meta/errors.ts';
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import { isRead, type PathHandler } from '../paths.ts';

type HealthEndpoint = 'healthz' | 'livez' | 'readyz';

export interface HealthCheck {
  name: string;
  /** Throws if it is not well. The reason is told to nobody but the log. */
  check(): void | Promise<void>;
  /** Default: all three. `shutdown` belongs to readyz alone: a server that stops is alive. */
  endpoints?: readonly HealthEndpoint[];
}

const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache, private' };
const endpoints: readonly HealthEndpoint[] = ['healthz', 'livez', 'readyz'];
const ping: HealthCheck = { name: 'ping', check() {} };

export function createHealth(checks: readonly HealthCheck[], onFailure: (check: string, error: unknown) => void = () => {}): PathHandler {
  const all = [ping, ...checks];
  return async (request) => {
    const [, endpoint, single, ...rest] = request.path.split('/');
    if (!endpoints.includes(endpoint as HealthEndpoint) || rest.length > 0) return undefined;
    if (!isRead(request)) throw methodNotAllowed();
    const members = all.filter((check) => (check.endpoints ?? endpoints).includes(endpoint as HealthEndpoint));
    if (single) {
      const check = members.find(({ name }) => name === single);
      return check && (await answerSingle(check, onFailure));
    }
    return await answerAll(endpoint!, members, request, onFailure);
  };
}

type OnFailure = (check: string, error: unknown) => void;

async function answerSingle(check: HealthCheck, onFailure: OnFailure): Promise<HttpResponse> {
  const well = await isWell(check, onFailure);
  return { status: well ? 200 : 500, headers, body: Buffer.from(well ? 'ok' : `internal server error: ${check.name} check failed\n`) };
}

async function answerAll(
  endpoint: string,
  checks: readonly HealthCheck[],
  request: HttpRequest,
  onFailure: OnFailure,
): Promise<HttpResponse> {
  const query = new URLSearchParams(request.query);
  const excluded = new Set(
    query
      .getAll('exclude')
      .flatMap((value) => value.split(','))
      .filter((name) => name !== ''),
  );
  let report = '';
  let failed = false;
  for (const check of checks) {
    if (excluded.delete(check.name)) report += `[+]${check.name} excluded: ok\n`;
    else if (await isWell(check, onFailure)) report += `[+]${check.name} ok\n`;
    else {
      failed = true;
      report += `[-]${check.name} failed: reason withheld\n`;
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(',');
    report += `warn: some health checks cannot be excluded: no matches for ${names}\n`;
  }
  if (failed) return { status: 500, headers, body: Buffer.from(`${report}${endpoint} check failed\n`) };
  return { status: 200, headers, body: Buffer.from(query.has('verbose') ? `${report}${endpoint} check passed\n` : 'ok') };
}

async function isWell(check: HealthCheck, onFailure: OnFailure): Promise<boolean> {
  try {
    await check.check();
    return true;
  } catch (error) {
    onFailure(check.name, error);
    return false;
  }
}
