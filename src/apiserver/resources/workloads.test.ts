// Rules of the workload kinds: what is refused on creation and on change, what the server fills in, and what a status may say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DaemonSet, StatefulSet } from '#api/generated/apps-v1.ts';
import type { CronJob, Job } from '#api/generated/batch-v1.ts';
import type { ReplicationController } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { copyOf } from '#api/meta/object.ts';
import { daemonSetRules } from './apps/daemonsets.ts';
import { statefulSetRules } from './apps/statefulsets.ts';
import { cronJobRules } from './batch/cronjobs.ts';
import { jobRules } from './batch/jobs.ts';
import { replicationControllerRules } from './core/replicationcontrollers.ts';
import type { ResourceRules } from './resource.ts';
import { cells, created, NOW, refusals, statusRefusals, updated, updateRefusals } from './rules.fixture.ts';
import { samples } from './samples.fixture.ts';

const sampleOf = <T extends KubeObject>({ resource }: ResourceRules<T>) => copyOf(samples[resource.plural]) as unknown as T;
const refusedWith = <T extends KubeObject>(rules: ResourceRules<T>, cases: [change: (object: T) => void, ...expected: string[]][]) => {
  for (const [change, ...expected] of cases) assert.deepEqual(refusals(rules, sampleOf(rules), change), expected);
};
const changedWith = <T extends KubeObject>(rules: ResourceRules<T>, cases: [change: (object: T) => void, ...expected: string[]][]) => {
  for (const [change, ...expected] of cases) assert.deepEqual(updateRefusals(rules, created(rules, sampleOf(rules)), change), expected);
};

test('a daemon set is refused for a strategy that gets nowhere or goes two ways, and for pods that end', () => {
  const rolling = (rollingUpdate: object) => (one: DaemonSet) => void (one.spec.updateStrategy = { type: 'RollingUpdate', rollingUpdate });
  const path = 'spec.updateStrategy.rollingUpdate';
  refusedWith(daemonSetRules, [
    [rolling({ maxUnavailable: 0 }), `${path}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0`],
    [
      rolling({ maxUnavailable: 1, maxSurge: '10%' }),
      `${path}.maxSurge: Invalid value: "10%": may not be set when maxUnavailable is non-zero`,
    ],
    [rolling({ maxUnavailable: '101%' }), `${path}.maxUnavailable: Invalid value: "101%": must not be greater than 100%`],
    [
      (one) => void (one.spec.template.spec!.restartPolicy = 'Never'),
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
    [(one) => void (one.spec.selector = {}), 'spec.selector: Invalid value: {}: empty selector is invalid for daemonset'],
  ]);
  changedWith(daemonSetRules, [
    [
      (one) => {
        one.spec.selector = { matchLabels: { tier: 'a' } };
        one.spec.template.metadata!.labels = { tier: 'a' };
      },
      'spec.selector: Invalid value: {"matchLabels":{"tier":"a"}}: field is immutable',
    ],
  ]);
});

test('a daemon set counts the generations of its template', () => {
  const generation = (one: DaemonSet) => one.metadata.annotations!['deprecated.daemonset.template.generation'];
  const first = created(daemonSetRules, sampleOf(daemonSetRules));
  const changed = updated(daemonSetRules, first, (one) => void (one.spec.template.spec!.containers[0]!.image = 'nginx:2'));
  const same = updated(daemonSetRules, changed, (one) => void (one.spec.minReadySeconds = 5));
  assert.deepEqual([generation(first), generation(changed), generation(same)], ['1', '2', '2']);
});

test('of a stateful set only sizes, template and strategies change', () => {
  const forbidden =
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
  changedWith(statefulSetRules, [
    [(one) => void (one.spec.serviceName = 'other'), forbidden],
    [(one) => void (one.spec.podManagementPolicy = 'Parallel'), forbidden],
    [(one) => void Object.assign(one.spec, { replicas: 5, minReadySeconds: 1, ordinals: { start: 2 }, revisionHistoryLimit: 2 })],
  ]);
  const strategy = (updateStrategy: object) => (one: StatefulSet) => void (one.spec.updateStrategy = updateStrategy);
  refusedWith(statefulSetRules, [
    [
      (one) => void (one.spec.podManagementPolicy = 'Any'),
      `spec.podManagementPolicy: Invalid value: "Any": must be 'OrderedReady' or 'Parallel'`,
    ],
    [
      strategy({ type: 'OnDelete', rollingUpdate: { partition: 1 } }),
      `spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy 'RollingUpdate'`,
    ],
    [
      strategy({ type: 'RollingUpdate', rollingUpdate: { partition: -1 } }),
      'spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      (one) => void (one.spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Never' }),
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Never": supported values: "Retain", "Delete"',
    ],
    [(one) => void Object.assign(one.spec, { selector: undefined }), 'spec.selector: Required value'],
  ]);
});

test('the server makes a job’s selector; what contradicts it, or cannot end, is refused', () => {
  const job = created(jobRules, sampleOf(jobRules));
  assert.deepEqual(job.spec.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': 'a-b-c' } });
  assert.equal(job.metadata.labels!['batch.kubernetes.io/job-name'], 'web');
  const spec = (fields: object) => (one: Job) => void Object.assign(one.spec, fields);
  const rule = { action: 'FailJob', onExitCodes: { operator: 'In', values: [0, 3, 2] } };
  const policy = 'spec.podFailurePolicy.rules[0]';
  refusedWith(jobRules, [
    [
      (one) => void delete one.spec.template.spec!.restartPolicy,
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
    [spec({ completionMode: 'Indexed', parallelism: 1 }), 'spec.completions: Required value: when completion mode is Indexed'],
    [spec({ backoffLimitPerIndex: 1 }), 'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
    [
      spec({ podFailurePolicy: { rules: [rule, { action: 'Ignore' }] } }),
      `${policy}.onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator`,
      `${policy}.onExitCodes.values: Invalid value: [0,3,2]: must be ordered`,
      'spec.podFailurePolicy.rules[1]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
    ],
    [
      spec({ completionMode: 'Indexed', completions: 3, successPolicy: { rules: [{ succeededIndexes: '2-9' }] } }),
      'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "2-9": error parsing succeededIndexes: too large index: "9"',
    ],
    [spec({ managedBy: 'queue' }), 'spec.managedBy: Invalid value: "queue": must be a domain-prefixed path (such as "acme.io/foo")'],
  ]);
});

test('a job’s template changes only before it starts; an indexed job is resized by both its numbers', () => {
  const selector = (job: Job) => void (job.spec.template.spec!.nodeSelector = { disk: 'fast' });
  const started = created(jobRules, sampleOf(jobRules));
  assert.match(updateRefusals(jobRules, started, selector)[0]!, /^spec\.template: Invalid value: .*: field is immutable$/);
  const suspended = created(jobRules, sampleOf(jobRules), (job) => void (job.spec.suspend = true));
  assert.deepEqual(updateRefusals(jobRules, suspended, selector), []);
  const image = (job: Job) => void (job.spec.template.spec!.containers[0]!.image = 'other');
  assert.equal(updateRefusals(jobRules, suspended, image).length, 1);
  const indexed = created(
    jobRules,
    sampleOf(jobRules),
    (job) => void Object.assign(job.spec, { completionMode: 'Indexed', completions: 2, parallelism: 2 }),
  );
  assert.deepEqual(
    updateRefusals(jobRules, indexed, (job) => void Object.assign(job.spec, { completions: 4, parallelism: 4 })),
    [],
  );
  assert.match(
    updateRefusals(jobRules, indexed, (job) => void (job.spec.completions = 4))[0]!,
    /can only be modified in tandem with spec\.parallelism/,
  );
});

test('a job’s status does not contradict itself, and what is finished stays finished', () => {
  const startTime = '2026-01-02T11:59:00Z';
  const job = created(jobRules, sampleOf(jobRules));
  const status = (fields: object) => statusRefusals(jobRules, job, (one) => void (one.status = { startTime, ...fields }));
  const yes = (type: string) => ({ type, status: 'True' });
  assert.deepEqual(status({ ready: 1, active: 0 }), ['status.ready: Invalid value: 1: cannot set more ready pods than active']);
  assert.deepEqual(status({ conditions: [yes('Failed')] }), [
    'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
  ]);
  assert.deepEqual(status({ conditions: [yes('SuccessCriteriaMet'), yes('Complete')] }), [
    'status.completionTime: Required value: completionTime is required for Complete jobs',
  ]);
  assert.deepEqual(status({ completedIndexes: '1' }).length, 2);
  const done = { ...job, status: { startTime, completionTime: startTime, conditions: [yes('SuccessCriteriaMet'), yes('Complete')] } };
  assert.ok(statusRefusals(jobRules, done, (one) => void (one.status = {})).length >= 2);
});

test('a cron job’s schedule and zone must be understood, and its jobs must end', () => {
  const spec = (fields: object) => (one: CronJob) => void Object.assign(one.spec, fields);
  refusedWith(cronJobRules, [
    [spec({ schedule: '* * *' }), 'spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]'],
    [
      spec({ schedule: 'TZ=UTC * * * * *' }),
      'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ],
    [spec({ timeZone: 'Mars/Olympus' }), 'spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus'],
    [
      spec({ concurrencyPolicy: 'Maybe' }),
      'spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"',
    ],
    [
      (one) => void (one.spec.jobTemplate.spec.selector = {}),
      'spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated',
    ],
    [
      (one) => void (one.metadata.name = 'x'.repeat(53)),
      `metadata.name: Invalid value: "${'x'.repeat(53)}": must be no more than 52 characters`,
    ],
  ]);
});

test('cells say what kubectl prints', () => {
  const job = created(jobRules, sampleOf(jobRules));
  const creationTimestamp = new Date(NOW - 60_000).toISOString();
  const ran = { ...job, metadata: { ...job.metadata, creationTimestamp }, status: { startTime: creationTimestamp, active: 1 } };
  assert.deepEqual(cells(jobRules, ran).slice(0, 5), ['web', 'Running', '0/1', '60s', '60s']);
  const cronJob = created(cronJobRules, sampleOf(cronJobRules));
  assert.deepEqual(cells(cronJobRules, cronJob).slice(0, 6), ['web', '*/5 * * * *', '<none>', 'False', 0, '<none>']);
  const set = created(statefulSetRules, sampleOf(statefulSetRules));
  assert.equal(cells(statefulSetRules, { ...set, status: { replicas: 1, readyReplicas: 1 } })[1], '1/1');
});

test('a replication controller selects by its template’s labels where it says nothing, and may change its mind', () => {
  const one = created(replicationControllerRules, sampleOf(replicationControllerRules));
  assert.deepEqual([one.spec.selector, one.metadata.labels], [{ app: 'web' }, { app: 'web' }]);
  const other = (controller: ReplicationController) => void (controller.spec.selector = { app: 'other' });
  assert.deepEqual(updateRefusals(replicationControllerRules, one, other), [
    'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
  ]);
});
