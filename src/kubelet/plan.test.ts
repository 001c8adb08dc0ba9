// What is done next for a pod, as a table of states.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PodSpec, PodStatus } from '#api/generated/core-v1.ts';
import type { BackOff } from './backoff.ts';
import { backOffUntil, nextBackOff } from './backoff.ts';
import { c, sandbox, testPod, zeroMs } from './plan.fixture.ts';
import type { PlanInput, ProbeVerdict } from './plan.ts';
import { goDuration, planPod } from './plan.ts';
import { viewPod } from './pod-view.ts';
import type { RuntimePod } from './runtime/runtime.ts';

interface Case {
  spec?: Partial<PodSpec>;
  status?: PodStatus;
  runtime?: RuntimePod[];
  nowMs?: number;
  probes?: Record<string, ProbeVerdict>;
  backOff?: Record<string, BackOff>;
  delayed?: Record<string, number>;
}

function plan({ spec, status, runtime = [], nowMs = 1000, probes = {}, backOff = {}, delayed = {} }: Case) {
  const input: PlanInput = {
    view: viewPod(testPod(spec, status), runtime),
    nowMs: zeroMs + nowMs,
    probe: (id) => probes[id],
    backOff: new Map(Object.entries(backOff)),
    delayed: new Map(Object.entries(delayed).map(([name, ms]) => [name, { untilMs: zeroMs + ms }])),
    stopping: new Set(),
  };
  return planPod(input);
}

/** A plan in a line. */
function told(made: ReturnType<typeof plan>): string {
  const parts = [
    made.finished && `finished ${made.finished.phase}`,
    made.replaceSandbox && 'replace sandbox',
    made.createSandbox !== undefined && `sandbox ${made.createSandbox}`,
    ...made.starts.map(({ view, attempt }) => `start ${view.spec.name}#${attempt}`),
    ...made.stops.map(({ view, reason }) => `stop ${view.spec.name} (${reason})`),
    ...made.removals.map((id) => `remove ${id}`),
    ...[...made.backingOff].map(([name]) => `${name} backs off`),
    made.wakeAtMs !== undefined && `wake ${made.wakeAtMs - zeroMs}`,
  ];
  return parts.filter(Boolean).join(', ');
}

const init = { initContainers: [c('one'), c('two')] };
const sidecar = { initContainers: [c('side', { restartPolicy: 'Always' }), c('one')] };
const startupProbe = { httpGet: { port: 80 } };
const tenSeconds = { delayMs: 10_000, updatedAtMs: zeroMs };

const cases: [name: string, state: Case, expected: string][] = [
  ['a new pod gets a sandbox and its containers', { spec: { containers: [c('a'), c('b')] } }, 'sandbox 0, start a#0, start b#0'],
  ['a running pod is left alone', { runtime: [sandbox(['main running'])] }, ''],
  ['a container that was created and never started is made anew', { runtime: [sandbox(['main created'])] }, 'start main#1'],
  ['only the missing container is started', { spec: { containers: [c('a'), c('b')] }, runtime: [sandbox(['a running'])] }, 'start b#0'],
  ['the first exit is answered at once', { runtime: [sandbox(['main exited 1'])] }, 'start main#1'],
  [
    'the second exit waits for the back-off',
    { runtime: [sandbox(['main#1 exited 1'])], backOff: { main: tenSeconds } },
    'main backs off, wake 10000',
  ],
  [
    'after the back-off the container returns',
    { runtime: [sandbox(['main#1 exited 1'])], backOff: { main: tenSeconds }, nowMs: 10_000 },
    'start main#2',
  ],
  [
    'Never: one failed container fails the pod',
    { spec: { restartPolicy: 'Never' }, runtime: [sandbox(['main exited 1'])] },
    'finished Failed',
  ],
  ['Never: success is success', { spec: { restartPolicy: 'Never' }, runtime: [sandbox(['main exited 0'])] }, 'finished Succeeded'],
  [
    'Never: the pod goes on while one container runs',
    { spec: { restartPolicy: 'Never', containers: [c('a'), c('b')] }, runtime: [sandbox(['a exited 1', 'b running'])] },
    '',
  ],
  ['OnFailure: failure restarts', { spec: { restartPolicy: 'OnFailure' }, runtime: [sandbox(['main exited 2'])] }, 'start main#1'],
  ['OnFailure: success ends', { spec: { restartPolicy: 'OnFailure' }, runtime: [sandbox(['main exited 0'])] }, 'finished Succeeded'],
  [
    'OnFailure: the one that succeeded stays done',
    { spec: { restartPolicy: 'OnFailure', containers: [c('a'), c('b')] }, runtime: [sandbox(['a exited 0', 'b exited 1'])] },
    'start b#1',
  ],
  [
    'a rule of the container brings back one exit code',
    {
      spec: {
        restartPolicy: 'Never',
        containers: [c('main', { restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] })],
      },
      runtime: [sandbox(['main exited 42'])],
    },
    'start main#1',
  ],
  ['init: the first goes first', { spec: init }, 'sandbox 0, start one#0'],
  ['init: the next waits for the one that runs', { spec: init, runtime: [sandbox(['one running'])] }, ''],
  ['init: the next follows success', { spec: init, runtime: [sandbox(['one exited 0'])] }, 'start two#0'],
  ['init: ordinary containers follow the last', { spec: init, runtime: [sandbox(['one exited 0', 'two exited 0'])] }, 'start main#0'],
  ['init: a failed one is tried again', { spec: init, runtime: [sandbox(['one exited 1'])] }, 'start one#1'],
  [
    'init: a failed one under Never fails the pod',
    { spec: { ...init, restartPolicy: 'Never' }, runtime: [sandbox(['one exited 1'])] },
    'finished Failed',
  ],
  ['init: done ones do not run again once the pod runs', { spec: init, runtime: [sandbox(['main running'])] }, ''],
  ['sidecar: it starts before its successor', { spec: sidecar }, 'sandbox 0, start side#0'],
  ['sidecar: once it runs the next init container starts', { spec: sidecar, runtime: [sandbox(['side running'])] }, 'start one#0'],
  [
    'sidecar: its startup probe holds the others back',
    { spec: { initContainers: [c('side', { restartPolicy: 'Always', startupProbe })] }, runtime: [sandbox(['side running'])] },
    '',
  ],
  [
    'sidecar: a passed startup probe lets the others start',
    {
      spec: { initContainers: [c('side', { restartPolicy: 'Always', startupProbe })] },
      runtime: [sandbox(['side running'])],
      probes: { 'side-0-s0': { started: true, ready: true } },
    },
    'start main#0',
  ],
  [
    'sidecar: it returns while the pod runs',
    { spec: sidecar, runtime: [sandbox(['side exited 0', 'one exited 0', 'main running'])] },
    'start side#1',
  ],
  [
    'sidecar: the pod ends with its ordinary containers',
    { spec: { ...sidecar, restartPolicy: 'Never' }, runtime: [sandbox(['side running', 'one exited 0', 'main exited 0'])] },
    'finished Succeeded',
  ],
  [
    'a dead sandbox is replaced, all containers start again',
    { spec: init, runtime: [sandbox(['one exited 0', 'two exited 0', 'main exited 137'], { ready: false })] },
    'replace sandbox, sandbox 1, start one#1',
  ],
  [
    'a dead sandbox of a finished pod stays dead',
    { spec: { restartPolicy: 'Never' }, runtime: [sandbox(['main exited 0'], { ready: false })] },
    'finished Succeeded',
  ],
  [
    'a container of an older sandbox counts for nothing in the new one',
    { runtime: [sandbox([], { attempt: 1 }), sandbox(['main exited 137'], { ready: false })] },
    'start main#1',
  ],
  [
    'a failed liveness probe stops the container',
    { runtime: [sandbox(['main running'])], probes: { 'main-0-s0': { started: true, ready: true, failed: 'liveness' } } },
    'stop main (liveness)',
  ],
  ['a start that failed is not repeated before its time', { delayed: { main: 5000 } }, 'wake 5000'],
  ['a start that failed is repeated at its time', { delayed: { main: 5000 }, nowMs: 5000 }, 'sandbox 0, start main#0'],
  [
    'one dead instance is kept, older ones go',
    { runtime: [sandbox(['main#2 running', 'main#1 exited 1', 'main#0 exited 1'])] },
    'remove main-0-s0',
  ],
  [
    'an ephemeral container starts once',
    { spec: { ephemeralContainers: [c('debug')] }, runtime: [sandbox(['main running'])] },
    'start debug#0',
  ],
  [
    'an ephemeral container never returns',
    { spec: { ephemeralContainers: [c('debug')] }, runtime: [sandbox(['main running', 'debug exited 0'])] },
    '',
  ],
  [
    'restarts are counted on where the runtime forgot them',
    {
      status: {
        containerStatuses: [
          { name: 'main', ready: true, restartCount: 4, image: '', imageID: '', containerID: 'containerd://x', state: { running: {} } },
        ],
      },
    },
    'sandbox 0, start main#5',
  ],
];

describe('the next step of a pod', () => {
  for (const [name, state, expected] of cases) test(name, () => assert.equal(told(plan(state)), expected));
});

test('a back-off doubles up to five minutes and is forgotten after ten', () => {
  let entry = nextBackOff(undefined, 0, 0);
  const delays = [entry.delayMs];
  for (let turn = 0; turn < 6; turn++) delays.push((entry = nextBackOff(entry, 0, 0)).delayMs);
  assert.deepEqual(delays, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  assert.equal(backOffUntil(entry, 0, 299_999), 300_000);
  assert.equal(backOffUntil(entry, 0, 300_000), undefined);
  assert.equal(nextBackOff(entry, 600_001, 600_001).delayMs, 10_000);
});

test('back-off messages print durations as Go does', () => {
  assert.deepEqual([10_000, 80_000, 160_000, 300_000].map(goDuration), ['10s', '1m20s', '2m40s', '5m0s']);
});
