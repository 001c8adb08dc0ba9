// Pods and capacity of instance types, by the examples of AWS' documentation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityOf, reservedCpuMillis } from './capacity.ts';
import { freeAddress } from './addresses.ts';
import { launch, nodeNameOf, planScale } from './instances.ts';
import { instanceTypeOf, maxPodsByAddresses, maxPodsOfManagedNode } from './pods-per-node.ts';
import { systemRandom } from '#lib/random.ts';

test('an instance type holds as many pods as its addresses allow, up to the cap of managed nodes', () => {
  const expected: [string, number, number][] = [
    ['t3.nano', 4, 4],
    ['t3.micro', 4, 4],
    ['t3.small', 11, 11],
    ['t3.medium', 17, 17],
    ['m5.large', 29, 29],
    ['m5.4xlarge', 234, 110],
    ['m5.24xlarge', 737, 250],
  ];
  for (const [name, byAddresses, managed] of expected) {
    const type = instanceTypeOf(name)!;
    assert.deepEqual([name, maxPodsByAddresses(type), maxPodsOfManagedNode(type)], [name, byAddresses, managed]);
  }
});

test('an instance type that does not exist is not known', () => {
  assert.equal(instanceTypeOf('t9.huge'), undefined);
  assert.equal(instanceTypeOf('toString'), undefined);
});

test('types newer than the table of vCPUs are read off their size and family', () => {
  const { cpus, memoryMiB, architecture } = instanceTypeOf('c7i.32xlarge')!;
  assert.deepEqual([cpus, memoryMiB, architecture], [128, 262_144, 'amd64']);
});

test("the system keeps nodeadm's share of processor and memory", () => {
  assert.deepEqual([1, 2, 4, 8, 96].map(reservedCpuMillis), [60, 70, 80, 90, 310]);
  const capacity = capacityOf(instanceTypeOf('t3.medium')!, 20);
  assert.equal(capacity.reserved.memoryBytes, (11 * 17 + 255) * 1024 ** 2);
  assert.equal(capacity.memoryBytes, 4 * 1024 ** 3);
});

test('scaling in ends the newest instances', () => {
  const instance = (instanceId: string) => ({ instanceId, instanceType: 't3.nano', zone: 'us-east-1a' });
  const plan = planScale(['i-1', 'i-2', 'i-3'].map(instance), 1);
  assert.deepEqual(
    plan.terminate.map((ended) => ended.instanceId),
    ['i-3', 'i-2'],
  ); // prettier-ignore
  assert.equal(plan.launch, 0);
});

test('new instances fill the emptiest zone', () => {
  const request = { count: 3, instanceType: 't3.nano', subnets: ['a', 'b'], region: 'eu-west-1', random: systemRandom };
  const launched = launch({ ...request, present: [] });
  assert.deepEqual(
    launched.map((instance) => instance.zone),
    ['eu-west-1a', 'eu-west-1b', 'eu-west-1a'],
  ); // prettier-ignore
});

test('a node gets the lowest address of its zone that no other node has, and its name from it', () => {
  const address = freeAddress('eu-west-1b', new Set(['10.0.21.10']));
  assert.equal(address, '10.0.21.11');
  assert.equal(nodeNameOf(address, 'eu-west-1'), 'ip-10-0-21-11.eu-west-1.compute.internal');
  assert.equal(nodeNameOf(address, 'us-east-1'), 'ip-10-0-21-11.ec2.internal');
});
