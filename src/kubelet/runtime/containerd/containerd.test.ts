// What needs no containerd: translations, exit codes, events. Containers run in test/e2e.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerConfig, SandboxConfig } from '../runtime.ts';
import { containerToCri, sandboxToCri, statusFromCri } from './convert.ts';
import { pullErrorOf } from './pull-error.ts';
import { exitCodeOf } from './streaming.ts';
import { readTaskEvent } from './task-events.ts';

const sandbox: SandboxConfig = {
  pod: { namespace: 'default', name: 'web', uid: 'u-1' },
  attempt: 2,
  hostname: 'web',
  logDirectory: '/logs',
  hostNetwork: false,
  hostPid: false,
  sharedPid: false,
  hostIpc: false,
  cgroupParent: '/kubepods/podu-1',
  sysctls: {},
  labels: { app: 'web', 'io.kubernetes.pod.uid': 'forged' },
  annotations: {},
  portMappings: [],
  securityContext: {},
};
const container: ContainerConfig = {
  name: 'main',
  attempt: 1,
  image: 'nginx',
  command: [],
  args: [],
  env: [],
  mounts: [],
  logPath: 'main.log',
  stdin: false,
  stdinOnce: false,
  tty: false,
  resources: {},
  securityContext: {},
  labels: {},
  annotations: {},
};

test("a sandbox carries its pod's identity, whatever the pod's own labels say, and its cgroup below the node's", () => {
  const config = sandboxToCri(sandbox, '/keks-1');
  assert.equal(config.labels['io.kubernetes.pod.uid'], 'u-1');
  assert.equal(config.labels.app, 'web');
  assert.equal(config.linux.cgroup_parent, '/keks-1/kubepods/podu-1');
  assert.deepEqual(config.linux.security_context.namespace_options, { network: 0, pid: 1, ipc: 0 });
});

test("the containers of a pod share their processes where the pod says so, the host's where it says that", () => {
  const pidOf = (config: Partial<SandboxConfig>) =>
    sandboxToCri({ ...sandbox, ...config }, '/keks-1').linux.security_context.namespace_options.pid;
  assert.deepEqual([pidOf({}), pidOf({ sharedPid: true }), pidOf({ hostPid: true })], [1, 0, 2]);
});

test('a privileged container sees all of /proc and /sys, others do not', () => {
  const paths = (privileged: boolean) =>
    containerToCri({ ...container, securityContext: { privileged } }, sandbox).linux.security_context.masked_paths;
  assert.deepEqual(paths(true), []);
  assert.ok(paths(false).includes('/proc/kcore'));
});

test('a container is found again under the image name that its pod gave', () => {
  const { annotations, labels } = containerToCri(container, sandbox);
  const status = statusFromCri(
    {
      id: 'c',
      metadata: { name: 'main', attempt: 1 },
      state: 2,
      created_at: 1.5e18,
      started_at: 1.5e18,
      finished_at: 1.6e18,
      exit_code: 137,
      image: { image: 'docker.io/library/nginx:latest' },
      image_ref: 'docker.io/library/nginx@sha256:1',
      reason: 'OOMKilled',
      message: '',
      labels,
      annotations,
      log_path: '/logs/main.log',
    },
    's',
  );
  assert.equal(status.image, 'nginx');
  assert.deepEqual([status.state, status.exitCode, status.reason, status.finishedAtMs], ['exited', 137, 'OOMKilled', 1.6e12]);
});

test('exit codes come from the error stream; a command that could not run is an error', () => {
  assert.equal(exitCodeOf(''), 0);
  assert.equal(exitCodeOf('{"status":"Success"}'), 0);
  const failed = { status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '7' }] } };
  assert.equal(exitCodeOf(JSON.stringify(failed)), 7);
  assert.throws(() => exitCodeOf('{"status":"Failure","message":"no such file"}'), /no such file/);
  assert.throws(() => exitCodeOf('plain words'), /plain words/);
});

test('an exit event tells the container from a command within it', () => {
  const message = (...texts: string[]) =>
    Buffer.concat(texts.flatMap((text, i) => [Buffer.from([((i + 1) << 3) | 2, text.length]), Buffer.from(text)]));
  assert.deepEqual(readTaskEvent(Buffer.concat([message('abc', 'abc'), Buffer.from([0x18, 5])])), { containerId: 'abc', execId: 'abc' });
  assert.deepEqual(readTaskEvent(message('abc', 'probe')), { containerId: 'abc', execId: 'probe' });
  assert.deepEqual(readTaskEvent(message('abc')), { containerId: 'abc', execId: '' });
  assert.deepEqual(readTaskEvent(Buffer.from([0xff])), { containerId: '', execId: '' });
});

test('pull failures have the reasons that Kubernetes shows', () => {
  const reasonOf = (code: number, details: string) => pullErrorOf('img', Object.assign(new Error(details), { code, details })).reason;
  assert.equal(reasonOf(5, 'failed to resolve reference "x": not found'), 'ErrImagePull');
  assert.equal(reasonOf(2, 'dial tcp: connection refused'), 'ErrImagePull');
  assert.equal(reasonOf(2, 'failed to parse image reference "A": invalid reference format'), 'InvalidImageName');
});
