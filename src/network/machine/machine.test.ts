// A machine's files and rules as text; machines that run are test/e2e's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, tryRun } from '#lib/command.ts';
import { parseCidr } from '../ipam/cidr.ts';
import { planSubnet, podRange } from '../ipam/subnet-plan.ts';
import { cniConfig } from './containerd-config.ts';
import { hostRuleset, machineRuleset } from './firewall.ts';
import { clusterNames, homeNames, machineNames } from './names.ts';
import { pauseImageArchive } from './pause-image.ts';

const canLoad = process.getuid?.() === 0 && (await tryRun('nft', ['--version']).catch(() => ({ code: 1 }))).code === 0;

test("names fit the kernel's limits and differ between homes", () => {
  const names = ['/root/.keks', `/srv/${'long/'.repeat(40)}`].map((home) => {
    const inHome = homeNames(home);
    const cluster = clusterNames(inHome, 'a-cluster-with-a-name-of-many-characters');
    return { ...cluster, ...machineNames(inHome, cluster, 'i-0123456789abcdef0') };
  });
  for (const { link, port, runDirectory } of names) {
    assert.ok(link.length <= 15 && port.length <= 15);
    assert.ok(`${runDirectory}/containerd.sock.ttrpc`.length <= 107);
  }
  assert.notEqual(names[0]!.link, names[1]!.link);
});

test("pods get addresses of the node's blocks, with the node as their gateway", () => {
  const plan = planSubnet(parseCidr('10.0.16.0/20'));
  const config = JSON.parse(
    cniConfig({ network: 'n', subnet: plan.cidr, range: podRange(plan, 1, 2), address: '10.0.16.10', dataDirectory: '/d' }),
  ) as {
    plugins: { ipam: { ranges: object[][] } }[];
  };
  assert.deepEqual(config.plugins[0]!.ipam.ranges, [
    [{ subnet: '10.0.16.0/20', rangeStart: '10.0.18.128', rangeEnd: '10.0.19.127', gateway: '10.0.16.10' }],
  ]);
});

test("nft loads the host's and a machine's rules, again and again", { skip: !canLoad && 'needs root and nft' }, async () => {
  const host = hostRuleset({
    table: 'keks_1_2',
    link: 'keks12',
    subnet: '10.0.16.0/20',
    exposures: [{ address: '169.254.170.200', port: 5000, loopbackPort: 4000, from: '10.0.16.10-10.0.17.255' }],
  });
  const plain = machineRuleset({ gateway: '10.0.16.1', streamingPort: 10010 });
  const resolving = machineRuleset({ gateway: '10.0.16.1', streamingPort: 10010, loopbackResolver: { port: 10053 } });
  await run('unshare', ['--net', 'nft', '-f', '-'], { input: [host, host, plain, resolving].join('\n') });
});

test('the sandbox image is the same bytes each time', () => {
  assert.ok(pauseImageArchive().equals(pauseImageArchive()));
});
