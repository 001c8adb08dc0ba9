// A cluster in this process with simulated nodes, listening on a free port of the loopback, and kubectl pointed at it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueClient } from '#lib/certificates.ts';
import { systemClock as clock } from '#lib/clock.ts';
import { silentLog } from '#lib/log.ts';
import { systemRandom as random } from '#lib/random.ts';
import { createMemoryStore } from '#store/memory.ts';
import { startCluster } from '#root/src/cluster.ts';
import { createClusterIdentity } from '#root/src/cluster-identity.ts';
import { createSimulatedNodes } from '#root/src/simulated-nodes.ts';
import { kubectlPath } from './kubectl.ts';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** What the program reads from its standard input. */
  input?: string;
  env?: Record<string, string>;
  /** Another program than kubectl 1.35. */
  program?: string;
  /** The program is ended after the first output that this accepts. */
  until?: (output: string) => boolean;
  cwd?: string;
}

/** Runs kubectl; the last argument may be options. */
type Run<Answer> = (...args: (string | RunOptions)[]) => Promise<Answer>;

export type KubectlCluster = Awaited<ReturnType<typeof startKubectlCluster>>;

export async function startKubectlCluster({ nodes = 2 }: { nodes?: number } = {}) {
  const home = await mkdtemp(join(tmpdir(), 'keks-kubectl-'));
  const kubectl = await kubectlPath();
  const identity = await createClusterIdentity({ clock, random });
  const store = createMemoryStore();
  const cluster = await startCluster({
    store,
    clock,
    random,
    logOf: () => silentLog,
    serviceAccountKey: identity.serviceAccountKey,
    rootCa: identity.authority.certificate,
    issuer: 'https://kubernetes.default.svc.cluster.local',
    listen: { identity, host: '127.0.0.1', port: 0, addresses: [] },
    volumes: { directory: join(home, 'volumes'), remove: async () => {} },
  }).catch(async (error: unknown) => {
    await rm(home, { recursive: true });
    throw error;
  });
  const simulated = createSimulatedNodes({ cluster, clock, random });
  for (let count = 0; count < nodes; count++) await simulated.add();

  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const writeKubeconfig = async (name: string, user: object): Promise<string> => {
    const file = join(home, `${name}.kubeconfig`);
    const { authority } = identity;
    const server = { server: `https://127.0.0.1:${cluster.port}`, 'certificate-authority-data': base64(authority.certificate) };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'keks', cluster: server }],
      users: [{ name, user }],
      contexts: [{ name: 'keks', context: { cluster: 'keks', user: name } }],
      'current-context': 'keks',
    };
    await writeFile(file, JSON.stringify(config));
    return file;
  };
  /** A kubeconfig with a client certificate for this user. */
  const kubeconfigOf = async (user: string, groups: string[]): Promise<string> => {
    const pair = await issueClient(identity.authority, { clock, random, commonName: user, organizations: groups });
    return await writeKubeconfig(user, { 'client-certificate-data': base64(pair.certificate), 'client-key-data': base64(pair.key) });
  };
  const adminConfig = await kubeconfigOf('kubernetes-admin', ['system:masters']);

  const kubectlIn = (prefix: string[]) => {
    const run: Run<Ran> = (...given) => {
      const options = given.filter((one) => typeof one !== 'string').at(-1) ?? {};
      const args = [...prefix, ...given.filter((one) => typeof one === 'string')];
      const env = { PATH: process.env['PATH'] ?? '', HOME: home, KUBECONFIG: adminConfig, TZ: 'UTC', ...options.env };
      return runProgram(options.program ?? kubectl, args, { ...options, env });
    };
    const check = async (given: (string | RunOptions)[], wellEnded: boolean): Promise<Ran> => {
      const ran = await run(...given);
      const words = given.filter((one) => typeof one === 'string').join(' ');
      assert.equal(ran.code === 0, wellEnded, `kubectl ${words}: exit code ${ran.code}\n${ran.stdout}${ran.stderr}`);
      return ran;
    };
    /** Must end well; answers what it wrote to standard output. */
    const ok: Run<string> = async (...given) => (await check(given, true)).stdout;
    /** Must fail; answers what it wrote to standard error. */
    const fails: Run<string> = async (...given) => (await check(given, false)).stderr;
    return { run, ok, fails };
  };
  const { run, ok, fails } = kubectlIn([]);

  return {
    home,
    cluster,
    client: cluster.admin,
    kubeconfigOf,
    writeKubeconfig,
    run,
    ok,
    fails,
    /** The same in a new namespace. */
    async namespace(name: string) {
      await ok('create', 'namespace', name);
      return kubectlIn(['--namespace', name]);
    },
    /** Writes a file into the temporary folder and answers its path. */
    file: async (name: string, content: string | object): Promise<string> => {
      const path = join(home, name);
      await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
      return path;
    },
    async stop() {
      await cluster.stop();
      await store.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

function runProgram(program: string, args: string[], { input = '', env, until, cwd }: RunOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, timeout: 60_000, ...(cwd && { cwd }) });
    const written = { stdout: '', stderr: '' };
    let wasEnough = false;
    const note = (stream: 'stdout' | 'stderr') => (chunk: string) => {
      written[stream] += chunk;
      if (!wasEnough && until?.(written.stdout + written.stderr)) {
        wasEnough = true;
        child.kill('SIGTERM');
      }
    };
    child.stdout.setEncoding('utf8').on('data', note('stdout'));
    child.stderr.setEncoding('utf8').on('data', note('stderr'));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: wasEnough ? 0 : (code ?? -1), ...written }));
    child.stdin.on('error', () => {}).end(input);
  });
}
