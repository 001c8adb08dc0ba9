// Leader election and events against a real API server on the memory store.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Event } from '#api/generated/core-v1.ts';
import { configmaps, events, leases } from '#api/generated/resources.ts';
import { serviceUnavailable } from '#api/meta/errors.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { startTestCluster } from '#root/test/support/controllers-cluster.ts';
import type { Clock } from '#lib/clock.ts';
import { silentLog } from '#lib/log.ts';
import { seededRandom } from '#lib/random.ts';
import type { Client } from './client.ts';
import { createEventRecorder } from './events.ts';
import { startLeaderElection } from './leader-election.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster([]);
});
afterEach(() => cluster.stop());

const lease = { namespace: 'default', name: 'the-lease' };

/** A candidate whose connection the test can cut, and whose wall clock it can shift. */
function candidate(identity: string) {
  const control = { isCut: false, wallOffsetMs: 0, leads: false };
  const guard =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (control.isCut) throw serviceUnavailable('cut off');
      return call(...args);
    };
  const { client, clock } = cluster;
  const guarded = { ...client, get: guard(client.get), update: guard(client.update), create: guard(client.create) } as Client;
  const shifted: Clock = { ...clock, now: () => clock.now() + control.wallOffsetMs };
  const election = startLeaderElection({
    client: guarded,
    clock: shifted,
    random: seededRandom(identity.length),
    log: silentLog,
    lease,
    identity,
    lead(signal) {
      control.leads = true;
      signal.addEventListener('abort', () => (control.leads = false));
    },
  });
  return Object.assign(control, { election, stop: () => election.stop() });
}

test('a leader that is cut off stops acting before another one starts', async () => {
  const a = candidate('a');
  await a.election.leading;
  const b = candidate('bb');
  await cluster.clock.advance(30_000);
  assert.deepEqual([a.leads, b.leads], [true, false]);
  a.isCut = true;
  let tookOverAfter = 0;
  for (let second = 1; second <= 40 && !b.leads; second++) {
    await cluster.clock.advance(1000);
    assert.ok(!(a.leads && b.leads), 'both lead');
    tookOverAfter = second;
  }
  assert.ok(b.leads && tookOverAfter >= 13, `after ${tookOverAfter} s`);
  assert.equal(await a.election.done, 'lost');
  const current = await cluster.client.get(leases, lease);
  assert.equal(current.spec.leaseTransitions, 1);
  await b.stop();
});

test('a clock that is hours off, on either side, takes nobody the lease', async () => {
  const a = candidate('a');
  await a.election.leading;
  const b = candidate('bb');
  for (const offset of [3_600_000, -3_600_000, 0]) {
    b.wallOffsetMs = offset;
    a.wallOffsetMs = -offset;
    await cluster.clock.advance(60_000);
    assert.deepEqual([a.leads, b.leads], [true, false], `offset ${offset}`);
  }
  await a.stop();
  await cluster.clock.advance(10_000);
  assert.deepEqual([a.leads, b.leads], [false, true]);
  await b.stop();
});

const recorder = () =>
  createEventRecorder({ client: cluster.client, clock: cluster.clock, log: silentLog, component: 'tester', host: 'node-1' });
const subject = (name: string) =>
  cluster.client.create(configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } });
const stored = async (): Promise<Event[]> => cluster.list(events);

test('an event names its object, its source and its time, and equal ones are counted in one', async () => {
  const object = await subject('one');
  const { event, flushed } = recorder();
  for (let i = 0; i < 3; i++) event(object, 'Warning', 'BackOff', 'Back-off restarting');
  await flushed();
  const [only, ...more] = await stored();
  assert.equal(more.length, 0);
  assert.match(only!.metadata.name!, /^one\.[0-9a-f]{15,16}$/);
  assert.deepEqual(
    [only!.count, only!.type, only!.reason, only!.message, only!.source],
    [3, 'Warning', 'BackOff', 'Back-off restarting', { component: 'tester', host: 'node-1' }],
  );
  const { kind, name, uid } = only!.involvedObject;
  assert.deepEqual({ kind, name, uid }, { kind: 'ConfigMap', name: 'one', uid: object.metadata.uid });
});

test('events that differ in their message only are combined after ten', async () => {
  const object = await subject('one');
  const { event, flushed } = recorder();
  for (let i = 0; i < 15; i++) event(object, 'Normal', 'Pulled', `message ${i}`);
  await flushed();
  const list = await stored();
  assert.equal(list.length, 10);
  const combined = list.find(({ message }) => message!.startsWith('(combined from similar events): '));
  assert.equal(combined?.count, 6);
});

test('one object that is reported without end is cut short; others are not', async () => {
  const { event, flushed } = recorder();
  const [noisy, quiet] = [await subject('noisy'), await subject('quiet')];
  for (let i = 0; i < 100; i++) event(noisy, 'Warning', `Reason${i}`, 'again');
  event(quiet, 'Normal', 'Once', 'said once');
  await flushed();
  const list = await stored();
  assert.equal(list.filter(({ involvedObject }) => involvedObject.name === 'noisy').length, 25);
  assert.equal(list.filter(({ involvedObject }) => involvedObject.name === 'quiet').length, 1);
});
