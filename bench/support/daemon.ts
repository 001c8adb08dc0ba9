// A keks daemon of its own for a benchmark, started as users start it: own KEKS_HOME, free port, thrown away afterwards.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EKSClient } from '@aws-sdk/client-eks';
import { issueIamToken } from '#aws/iam-token.ts';
import type { HttpClient } from '#client/http-transport.ts';
import { createHttpClient } from '#client/http-transport.ts';
import { systemClock } from '#lib/clock.ts';
import { run } from '#lib/command.ts';
import { adminCredentials } from '#root/src/cli/credentials.ts';
import { homeOf } from '#root/src/fleet/home.ts';

const program = fileURLToPath(new URL('../../bin/keks', import.meta.url));
const gcOnSignal = new URL('./gc-on-signal.ts', import.meta.url).href;

export interface Daemon extends AsyncDisposable {
  home: string;
  endpoint: string;
  pid: number;
  /** The credentials of kubectl's user for the cluster that `up` made. */
  access(): Promise<{ server: string; ca: string; token: string }>;
  /** HTTP/2 over TLS, as the admin. */
  client(): Promise<HttpClient>;
  eks(): Promise<EKSClient>;
  keks(...args: string[]): Promise<string>;
  /** Collects the garbage of its main thread, so that memory says what is held. */
  collectGarbage(): void;
}

export interface DaemonOptions {
  nodes: number;
  runtime?: 'simulated' | 'containerd';
  instanceType?: string;
  /** More to undo before the home is removed. */
  cleanUp?: (home: string) => Promise<void>;
}

export async function startDaemon({ nodes, runtime = 'simulated', instanceType = 't3.medium', cleanUp }: DaemonOptions): Promise<Daemon> {
  const home = await mkdtemp(join(tmpdir(), 'keks-bench-'));
  const options = `${process.env.NODE_OPTIONS ?? ''} --expose-gc --import=${gcOnSignal}`.trim();
  const environment = { ...process.env, KEKS_HOME: home, NODE_OPTIONS: options };
  const keks = (...args: string[]) => run(program, args, { env: environment });
  const remove = async () => {
    await keks('down').catch(() => undefined);
    await cleanUp?.(home);
    await rm(home, { recursive: true, force: true });
  };
  try {
    const flags = ['--nodes', String(nodes), '--runtime', runtime, '--instance-type', instanceType, '--port', '0', '--output', 'json'];
    const { endpoint } = JSON.parse(await keks('up', ...flags)) as { endpoint: string };
    const pid = Number(await readFile(join(home, 'keks.pid'), 'utf8'));
    const access = async () => {
      const { server, certificate } = await clusterOf(await keks('kubeconfig', '--name', 'keks', '--output', 'json'));
      const credentials = await adminCredentials(homeOf(home));
      const { token } = issueIamToken('keks', credentials, { region: 'us-east-1', nowMs: systemClock.now() });
      return { server, ca: certificate, token };
    };
    return {
      home,
      endpoint,
      pid,
      keks,
      access,
      client: async () => createHttpClient({ ...(await access()), clock: systemClock }),
      eks: async () => new EKSClient({ endpoint, region: 'us-east-1', credentials: await adminCredentials(homeOf(home)) }),
      collectGarbage: () => void process.kill(pid, 'SIGUSR2'),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function clusterOf(kubeconfig: string): Promise<{ server: string; certificate: string }> {
  const { clusters } = JSON.parse(kubeconfig) as { clusters: { cluster: Record<string, string> }[] };
  const { server, 'certificate-authority-data': data } = clusters[0]!.cluster;
  return { server: server!, certificate: Buffer.from(data!, 'base64').toString() };
}
