// Addresses: blocks, pools, and the plan of a cluster's subnet.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAddressPool, podAddressAllocator } from './address-pool.ts';
import { contains, formatAddress, formatCidr, overlaps, parseAddress, parseCidr } from './cidr.ts';
import { chooseSubnet, freePodBlocks, planSubnet, podBlocksFor, podRange } from './subnet-plan.ts';

test('addresses and blocks read and print the same', () => {
  assert.equal(formatAddress(parseAddress('255.254.3.4')!), '255.254.3.4');
  assert.equal(formatCidr(parseCidr('10.0.17.9/20')), '10.0.16.0/20');
  for (const wrong of ['1.2.3', '1.2.3.256', '01.2.3.4', 'a.b.c.d', '::1']) assert.equal(parseAddress(wrong), undefined, wrong);
  for (const wrong of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'x/8'])
    assert.throws(() => parseCidr(wrong), /invalid CIDR address/);
});

test('blocks know what they hold and what they share', () => {
  const block = parseCidr('10.0.16.0/20');
  assert.ok(contains(block, parseAddress('10.0.31.255')!));
  assert.ok(!contains(block, parseAddress('10.0.32.0')!));
  assert.ok(overlaps(block, parseCidr('10.0.0.0/8')));
  assert.ok(overlaps(parseCidr('0.0.0.0/0'), block));
  assert.ok(!overlaps(block, parseCidr('10.0.32.0/20')));
});

test('an address given back is the last to be used again, and a full pool says so', () => {
  const pool = podAddressAllocator(parseCidr('10.0.0.0/29'));
  assert.equal(pool.size, 6);
  assert.equal(pool.allocate(), '10.0.0.1');
  pool.release('10.0.0.1');
  assert.deepEqual(
    Array.from({ length: 7 }, () => pool.allocate()),
    ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.1', undefined],
  );
  assert.equal(pool.used, 6);
});

test('a reserved address is not given out, and cannot be reserved twice or from elsewhere', () => {
  const first = parseAddress('10.0.0.1')!;
  const pool = createAddressPool({ first, last: first + 2 });
  assert.equal(pool.reserve('10.0.0.2'), true);
  assert.equal(pool.reserve('10.0.0.2'), false);
  assert.equal(pool.reserve('10.0.0.9'), false);
  assert.equal(pool.reserve('nonsense'), false);
  assert.deepEqual([pool.allocate(), pool.allocate(), pool.allocate()], ['10.0.0.1', '10.0.0.3', undefined]);
});

test('nodes, pods and load balancers share a subnet without meeting', () => {
  const plan = planSubnet(parseCidr('10.0.16.0/20'));
  assert.equal(plan.gateway, '10.0.16.1');
  const last = podRange(plan, plan.podBlocks - 1, 1);
  assert.ok(plan.nodes.last < podRange(plan, 0, 1).first);
  assert.equal(last.last + 1, plan.loadBalancers.first);
  assert.equal(formatAddress(plan.loadBalancers.last), '10.0.31.254');
});

test('a node gets neighbouring blocks that nobody else has', () => {
  const plan = planSubnet(parseCidr('10.0.16.0/20'));
  assert.deepEqual([podBlocksFor(4), podBlocksFor(102), podBlocksFor(110), podBlocksFor(250)], [1, 1, 2, 3]);
  assert.equal(freePodBlocks(plan, [], 1), 0);
  assert.equal(
    freePodBlocks(
      plan,
      [
        { block: 0, count: 1 },
        { block: 2, count: 2 },
      ],
      2,
    ),
    4,
  );
  assert.equal(
    freePodBlocks(
      plan,
      [
        { block: 0, count: 1 },
        { block: 2, count: 2 },
      ],
      1,
    ),
    1,
  );
  assert.equal(freePodBlocks(plan, [{ block: 0, count: plan.podBlocks }], 1), undefined);
});

test('a cluster gets a subnet that neither the machine nor another cluster uses', () => {
  const first = formatCidr(chooseSubnet(7, []));
  assert.equal(formatCidr(chooseSubnet(7, [])), first);
  assert.notEqual(formatCidr(chooseSubnet(7, [first])), first);
  assert.notEqual(formatCidr(chooseSubnet(100 * 16, [])).split('.')[1], '100');
  assert.throws(() => chooseSubnet(0, ['10.0.0.0/8']), /no free \/20 block/);
});
