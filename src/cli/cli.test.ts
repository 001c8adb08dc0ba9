// The command line as a user has it: bin/keks on a home of its own, simulated nodes, a free port.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../bin/keks', import.meta.url));

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

async function newHome(t: TestContext) {
  const home = await mkdtemp(join(tmpdir(), 'keks-cli-'));
  const keks = (...args: string[]) =>
    new Promise<Result>((resolve) => {
      const env = { ...process.env, KEKS_HOME: home, KEKS_RUNTIME: 'simulated', KEKS_PORT: '0' };
      execFile(program, args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  t.after(async () => {
    await keks('down');
    await rm(home, { recursive: true, force: true });
  });
  return { home, keks };
}

const json = ({ code, stdout, stderr }: Result) => {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as never;
};

interface UpReport {
  endpoint: string;
  kubeconfig: string;
  cluster: { name: string; status: string; nodes: { ready: boolean; instanceType: string; allocatablePods: number }[] };
}

interface StatusReport {
  pid: number;
  clusters: UpReport['cluster'][];
}

test('up brings a cluster with Ready nodes, again it changes nothing, after kill -9 it brings all of it back', async (t) => {
  const { home, keks } = await newHome(t);
  const first: UpReport = json(await keks('up', '--nodes', '2', '--instance-type', 't3.nano', '--output', 'json'));
  assert.equal(first.cluster.status, 'ACTIVE');
  assert.deepEqual(
    first.cluster.nodes.map(({ ready, instanceType, allocatablePods }) => ({ ready, instanceType, allocatablePods })),
    Array.from({ length: 2 }, () => ({ ready: true, instanceType: 't3.nano', allocatablePods: 4 })),
  );
  const { pid }: StatusReport = json(await keks('status', '--output', 'json'));
  assert.equal((await readFile(join(home, 'keks.pid'), 'utf8')).trim(), String(pid));
  assert.equal((await stat(join(home, 'aws', 'credentials'))).mode & 0o777, 0o600);

  const again: UpReport = json(await keks('up', '--output', 'json'));
  assert.deepEqual(again.cluster, first.cluster);
  assert.equal((json(await keks('status', '--output', 'json')) as StatusReport).pid, pid);

  process.kill(pid, 'SIGKILL');
  const back: UpReport = json(await keks('up', '--output', 'json'));
  assert.deepEqual(back.cluster, first.cluster);
  const stopped: { pid: number } = json(await keks('down', '--output', 'json'));
  assert.notEqual(stopped.pid, pid);
  const status = await keks('status');
  assert.equal(status.code, 1);
  assert.match(status.stderr, /^keks: keks is not running on .*; start it with: keks up\n$/);
});

test('two ups at once share one daemon', async (t) => {
  const { keks } = await newHome(t);
  const [one, two] = await Promise.all([keks('up', '--nodes', '1', '-o', 'json'), keks('up', '--nodes', '1', '-o', 'json')]);
  assert.equal((json(one) as UpReport).endpoint, (json(two) as UpReport).endpoint);
});

test('env, kubeconfig and token give a shell what it needs', async (t) => {
  const { home, keks } = await newHome(t);
  const { endpoint }: UpReport = json(await keks('up', '--nodes', '0', '-o', 'json'));
  const { stdout } = await keks('env');
  assert.match(stdout, new RegExp(`^export AWS_ENDPOINT_URL=${endpoint}$`, 'm'));
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION', 'KUBECONFIG'])
    assert.match(stdout, new RegExp(`^export ${name}=`, 'm'));
  const written = await readFile(join(home, 'kubeconfig'), 'utf8');
  assert.equal((await keks('kubeconfig')).stdout, written);
  const credential: { kind: string; status: { token: string } } = json(await keks('token', '--cluster-name', 'keks'));
  assert.equal(credential.kind, 'ExecCredential');
  assert.match(credential.status.token, /^k8s-aws-v1\.[\w-]+$/);
  const missing = await keks('kubeconfig', '--name', 'none');
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /there is no running cluster none \(clusters: keks\); make it with: keks up --name none/);
  assert.match((await keks('logs')).stdout, /apiserver +keks/);
  assert.match((await keks('image', 'load', program)).stderr, /simulated nodes run no images/);
});

test('a port that is taken is named, and what to do', async (t) => {
  const { keks } = await newHome(t);
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  const { code, stderr } = await keks('up', '--port', String(port));
  assert.equal(code, 1);
  assert.equal(stderr, `keks: port ${port} is taken by another program; choose another with --port (or KEKS_PORT)\n`);
});

test('wrong usage answers 2 and one line', async (t) => {
  const { keks } = await newHome(t);
  for (const args of [
    ['up', '--nodes', 'many'],
    ['up', '--runtime', 'docker'],
    ['up', '--name', 'no spaces'],
    ['up', '--instance-type', 't99.huge'],
    ['token'],
    ['nonsense'],
    ['status', '-o', 'xml'],
  ]) {
    const { code, stderr } = await keks(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, /^keks: /);
  }
});

test('a daemon that runs keeps its region', async (t) => {
  const { keks } = await newHome(t);
  assert.equal((await keks('up', '--nodes', '0')).code, 0);
  const { code, stderr } = await keks('up', '--nodes', '0', '--region', 'eu-west-1');
  assert.equal(code, 1);
  assert.equal(stderr, 'keks: keks already runs with --region us-east-1; stop it first with: keks down\n');
});

test('version and doctor speak JSON', async (t) => {
  const { keks } = await newHome(t);
  assert.equal((json(await keks('version', '-o', 'json')) as { kubernetes: string }).kubernetes, '1.36');
  assert.match((await keks('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
  const doctor = JSON.parse((await keks('doctor', '-o', 'json')).stdout) as { checks: { name: string; fix: string }[] };
  assert.ok(doctor.checks.some(({ name, fix }) => name === 'containerd' && fix === 'apt-get install containerd'));
});
