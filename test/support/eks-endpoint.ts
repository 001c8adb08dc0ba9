// The whole AWS endpoint on a real socket with its records in a folder of its own, over a host in memory.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { awsEndpoint } from '#aws/endpoint.ts';
import { openIam } from '#aws/iam-records.ts';
import { openEks } from '#eks/eks.ts';
import type { Clock } from '#lib/clock.ts';
import { systemClock } from '#lib/clock.ts';
import { serveHttp } from '#lib/http/server.ts';
import { silentLog } from '#lib/log.ts';
import { systemRandom } from '#lib/random.ts';
import { memoryHost } from './memory-cluster-host.ts';

export interface EndpointOptions {
  /** The folder of an earlier endpoint, to start again on its state. */
  home?: string;
  clock?: Clock;
  region?: string;
}

export async function startEndpoint(t: TestContext, options: EndpointOptions = {}) {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'keks-eks-')));
  const clock = options.clock ?? systemClock;
  const region = options.region ?? 'us-east-1';
  const host = memoryHost();
  const iam = await openIam(join(home, 'aws'), { random: systemRandom, nowMs: clock.now() });
  const ownHosts: string[] = [];
  const eks = await openEks({ directory: join(home, 'eks'), region, iam, host, clock, random: systemRandom, log: silentLog, ownHosts });
  const handler = awsEndpoint(eks.handler, { iam, random: systemRandom, log: silentLog, now: () => clock.now(), regions: [region] });
  const server = await serveHttp({ handler, host: '127.0.0.1', port: 0, log: silentLog });
  ownHosts.push(`127.0.0.1:${server.port}`);
  t.after(async () => {
    host.release();
    await server.close(0);
    await eks.clusters.idle();
    await eks.nodegroups.idle();
    await rm(home, { recursive: true, force: true });
  });
  const { accessKeyId, secretAccessKey } = iam.admin.accessKeys[0]!;
  return { home, host, iam, eks, region, endpoint: `http://127.0.0.1:${server.port}`, credentials: { accessKeyId, secretAccessKey } };
}

export type Endpoint = Awaited<ReturnType<typeof startEndpoint>>;
