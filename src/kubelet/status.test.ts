// What is reported of a pod, as a table of states.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PodSpec, PodStatus } from '#api/generated/core-v1.ts';
import { c, sandbox, testPod, zeroMs } from './plan.fixture.ts';
import type { ProbeVerdict, Waiting } from './plan.ts';
import { viewPod } from './pod-view.ts';
import type { RuntimePod } from './runtime/runtime.ts';
import { podStatus } from './status.ts';
import { statusPatch } from './status-patch.ts';

interface Case {
  spec?: Partial<PodSpec>;
  status?: PodStatus;
  runtime?: RuntimePod[];
  waiting?: Record<string, Waiting>;
  probes?: Record<string, ProbeVerdict>;
  ended?: boolean;
  verdict?: { phase: 'Failed'; reason: string; message: string };
}

function report({ spec, status, runtime = [], waiting = {}, probes = {}, ended = false, verdict }: Case): PodStatus {
  return podStatus({
    view: viewPod(testPod(spec, status), runtime),
    nowMs: zeroMs + 60_000,
    runtimeName: 'containerd',
    hostIps: ['10.0.0.10'],
    probe: (id) => probes[id],
    waiting: new Map(Object.entries(waiting)),
    terminationMessages: new Map(),
    ended,
    ...(verdict && { verdict }),
  });
}

/** Phase, conditions that are not True, and each container's state. */
function told(status: PodStatus): string {
  const conditions = (status.conditions ?? [])
    .filter((condition) => condition.status !== 'True')
    .map(({ type, reason, message }) => `${type}:${reason ?? ''}${message ? ` ${message}` : ''}`);
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map(
    ({ name, state, ready, restartCount }) => {
      const [kind, detail] = Object.entries(state!)[0]! as [string, { reason?: string }];
      return `${name} ${kind}${detail.reason ? ` ${detail.reason}` : ''}${ready ? ' ready' : ''}${restartCount ? ` x${restartCount}` : ''}`;
    },
  );
  return [status.phase, ...conditions, ...containers].join(' | ');
}

const init = { initContainers: [c('one')] };
const side = { initContainers: [c('side', { restartPolicy: 'Always' })] };
const never = { restartPolicy: 'Never' };
const unready = (names: string) =>
  `Ready:ContainersNotReady containers with unready status: [${names}] | ContainersReady:ContainersNotReady containers with unready status: [${names}]`;
const noSandbox = 'PodReadyToStartContainers:';

const cases: [name: string, state: Case, expected: string][] = [
  ['nothing runs yet', {}, `Pending | ${noSandbox} | ${unready('main')} | main waiting ContainerCreating`],
  ['the sandbox stands', { runtime: [sandbox([])] }, `Pending | ${unready('main')} | main waiting ContainerCreating`],
  ['all runs', { runtime: [sandbox(['main running'])] }, 'Running | main running ready'],
  [
    'one of two runs',
    { spec: { containers: [c('a'), c('b')] }, runtime: [sandbox(['a running'])] },
    `Pending | ${unready('b')} | a running ready | b waiting ContainerCreating`,
  ],
  [
    'a pull fails',
    { runtime: [sandbox([])], waiting: { main: { reason: 'ErrImagePull', message: 'not found' } } },
    `Pending | ${unready('main')} | main waiting ErrImagePull`,
  ],
  [
    'a readiness probe has not passed',
    { spec: { containers: [c('main', { readinessProbe: { httpGet: { port: 80 } } })] }, runtime: [sandbox(['main running'])] },
    `Running | ${unready('main')} | main running`,
  ],
  [
    'a container crashed and waits',
    { runtime: [sandbox(['main#1 exited 1'])], waiting: { main: { reason: 'CrashLoopBackOff' } } },
    `Running | ${unready('main')} | main waiting CrashLoopBackOff x1`,
  ],
  ['a container has just ended', { runtime: [sandbox(['main exited 1'])] }, `Running | ${unready('main')} | main terminated Error`],
  [
    'an init container runs',
    { spec: init, runtime: [sandbox(['one running'])] },
    `Pending | Initialized:ContainersNotInitialized containers with incomplete status: [one] | ${unready('main')} | one running | main waiting PodInitializing`,
  ],
  [
    'an init container crashed',
    { spec: init, runtime: [sandbox(['one#1 exited 1'])], waiting: { one: { reason: 'CrashLoopBackOff' } } },
    `Pending | Initialized:ContainersNotInitialized containers with incomplete status: [one] | ${unready('main')} | one waiting CrashLoopBackOff x1 | main waiting PodInitializing`,
  ],
  [
    'initialisation is over',
    { spec: init, runtime: [sandbox(['one exited 0', 'main running'])] },
    'Running | one terminated Completed ready | main running ready',
  ],
  [
    'an init container failed for good',
    { spec: { ...init, ...never }, runtime: [sandbox(['one exited 1'], { ready: false })], ended: true },
    `Failed | ${noSandbox} | Initialized:ContainersNotInitialized containers with incomplete status: [one] | Ready:PodFailed | ContainersReady:PodFailed | one terminated Error | main waiting PodInitializing`,
  ],
  [
    'a sidecar counts for readiness',
    { spec: side, runtime: [sandbox(['side exited 1', 'main running'])], waiting: { side: { reason: 'CrashLoopBackOff' } } },
    `Running | ${unready('side')} | side waiting CrashLoopBackOff | main running ready`,
  ],
  [
    'success',
    { spec: never, runtime: [sandbox(['main exited 0'], { ready: false })], ended: true },
    `Succeeded | ${noSandbox} | Ready:PodCompleted | ContainersReady:PodCompleted | main terminated Completed`,
  ],
  [
    'failure',
    { spec: never, runtime: [sandbox(['main exited 1'], { ready: false })], ended: true },
    `Failed | ${noSandbox} | Ready:PodFailed | ContainersReady:PodFailed | main terminated Error`,
  ],
  [
    'a deleted pod whose containers ended well',
    { runtime: [sandbox(['main exited 0'], { ready: false })], ended: true },
    `Succeeded | ${noSandbox} | Ready:PodCompleted | ContainersReady:PodCompleted | main terminated Completed`,
  ],
  [
    'a deleted pod that never started',
    { ended: true },
    `Failed | ${noSandbox} | Ready:PodFailed | ContainersReady:PodFailed | main waiting ContainerCreating`,
  ],
  [
    'a readiness gate nobody answered',
    { spec: { readinessGates: [{ conditionType: 'x/y' }] }, runtime: [sandbox(['main running'])] },
    'Running | Ready:ReadinessGatesNotReady corresponding condition of pod readiness gate "x/y" does not exist. | main running ready',
  ],
  [
    'a terminal phase is never taken back',
    { status: { phase: 'Failed', reason: 'Evicted' }, runtime: [sandbox(['main running'])] },
    'Failed | Ready:PodFailed | ContainersReady:PodFailed | main running ready',
  ],
];

describe('the status of a pod when', () => {
  for (const [name, state, expected] of cases) test(name, () => assert.equal(told(report(state)), expected));
});

test('a waiting container that crashed shows its end as its last state', () => {
  const status = report({
    runtime: [sandbox(['main#1 exited 3 @5000'])],
    waiting: { main: { reason: 'CrashLoopBackOff', message: 'back-off' } },
  });
  assert.deepEqual(status.containerStatuses![0], {
    name: 'main',
    state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
    lastState: {
      terminated: {
        exitCode: 3,
        reason: 'Error',
        startedAt: '2026-01-01T00:00:00Z',
        finishedAt: '2026-01-01T00:00:05Z',
        containerID: 'containerd://main-1-s0',
      },
    },
    ready: false,
    restartCount: 1,
    image: 'nginx',
    imageID: 'nginx@sha256:1',
    containerID: 'containerd://main-1-s0',
    started: false,
  });
});

test('transition times move only when a condition turns', () => {
  const first = report({});
  const second = report({
    status: { ...first, conditions: first.conditions!.map((entry) => ({ ...entry, lastTransitionTime: '2025-01-01T00:00:00Z' })) },
    runtime: [sandbox(['main running'])],
  });
  const times = Object.fromEntries(second.conditions!.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]));
  assert.equal(times.Ready, '2026-01-01T00:01:00Z');
  assert.equal(times.Initialized, '2025-01-01T00:00:00Z');
});

test('pods on the host network have the address of their node', () => {
  assert.deepEqual(report({ spec: { hostNetwork: true }, runtime: [sandbox(['main running'])] }).podIPs, [{ ip: '10.0.0.10' }]);
});

test('a deadline gives the ended pod its reason', () => {
  const verdict = { phase: 'Failed', reason: 'DeadlineExceeded', message: 'too long' } as const;
  const status = report({ runtime: [sandbox(['main exited 0'], { ready: false })], ended: true, verdict });
  assert.equal(`${status.phase} ${status.reason} ${status.message}`, 'Failed DeadlineExceeded too long');
});

describe('the patch from one status to the next', () => {
  test('is nothing when nothing changed', () => {
    const status = report({ runtime: [sandbox(['main running'])] });
    assert.equal(statusPatch(testPod(), status, { ...status }), undefined);
  });
  test('leaves the conditions of others alone', () => {
    const base: PodStatus = { conditions: [{ type: 'x/y', status: 'True' }] };
    const patch = statusPatch(testPod(), base, report({})) as { status: PodStatus };
    assert.equal(
      patch.status.conditions!.some(({ type }) => type === 'x/y'),
      false,
    );
  });
  test('takes reasons away that no longer hold', () => {
    const before = report({ runtime: [sandbox([])] });
    const patch = statusPatch(testPod(), before, report({ runtime: [sandbox(['main running'])] })) as { status: PodStatus };
    const ready = patch.status.conditions!.find(({ type }) => type === 'Ready')!;
    assert.equal(ready.reason, null);
    assert.equal(ready.status, 'True');
  });
  test('replaces addresses instead of merging them', () => {
    const before = report({ runtime: [sandbox(['main running'])] });
    const patch = statusPatch(testPod(), before, { ...before, podIPs: [{ ip: '10.0.1.9' }] });
    assert.deepEqual(patch!.status, { podIPs: [{ ip: '10.0.1.9' }, { $patch: 'replace' }] });
  });
});
