// kube-proxy's rules: asserted as decisions, and loaded by the real nft in a namespace that is thrown away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '#api/generated/core-v1.ts';
import type { EndpointSlice } from '#api/generated/discovery-v1.ts';
import { run, tryRun } from '#lib/command.ts';
import type { ProxyState } from './ruleset.ts';
import { buildRuleset } from './ruleset.ts';
import { deltaScript, fullScript } from './script.ts';

const canLoad = process.getuid?.() === 0 && (await tryRun('nft', ['--version']).catch(() => ({ code: 1 }))).code === 0;
const loading = { skip: canLoad ? false : 'needs root and nft' };

function service(name: string, spec: Partial<Service['spec']> = {}, ingress: string[] = []): Service {
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      clusterIP: '10.100.0.20',
      clusterIPs: ['10.100.0.20'],
      type: 'ClusterIP',
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      ...spec,
    },
    status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } },
  };
}

interface TestEndpoint {
  ip: string;
  node?: string;
  ready?: boolean;
  serving?: boolean;
  terminating?: boolean;
}

function slice(name: string, endpoints: TestEndpoint[], port = 8080, protocol = 'TCP'): EndpointSlice {
  return {
    metadata: { name: `${name}-x`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol }],
    endpoints: endpoints.map(({ ip, node = 'other', ...conditions }) => ({ addresses: [ip], nodeName: node, conditions })),
  };
}

function stateOf(services: Service[], endpointSlices: EndpointSlice[]): ProxyState {
  return {
    services,
    endpointSlices,
    nodeName: 'here',
    nodeAddresses: ['10.0.0.10'],
    podRange: '10.0.2.0-10.0.2.127',
    serviceCidr: '10.100.0.0/16',
  };
}

/** The addresses that traffic to a map's element can end at, by following the chains. */
function destinations(state: ProxyState, map: 'service-ips' | 'service-nodeports', element: string): string[] | 'none' | 'refused' {
  const ruleset = buildRuleset(state);
  const refused = ruleset.maps[map === 'service-ips' ? 'no-endpoint-ips' : 'no-endpoint-nodeports'].has(element);
  const start = ruleset.maps[map].get(element)?.replace('goto ', '');
  if (start === undefined) return refused ? 'refused' : 'none';
  const found = new Set<string>();
  const visit = (name: string, clientsOutside: boolean): void => {
    for (const rule of ruleset.chains.get(name)!) {
      if (clientsOutside && (rule.startsWith(`ip saddr ${state.podRange}`) || rule.startsWith('fib saddr'))) continue;
      const target = /dnat to (\S+)/.exec(rule)?.[1];
      if (target !== undefined) found.add(target);
      for (const [, next] of rule.matchAll(/goto ([^\s,}]+)/g)) visit(next!, clientsOutside);
    }
  };
  visit(start, true);
  return [...found].sort();
}

test('traffic goes to ready endpoints only', () => {
  const state = stateOf([service('web')], [slice('web', [{ ip: '10.0.2.1' }, { ip: '10.0.2.2', ready: false }])]);
  assert.deepEqual(destinations(state, 'service-ips', '10.100.0.20 . tcp . 80'), ['10.0.2.1:8080']);
});

test('when no endpoint is ready, those that still serve while terminating are used', () => {
  const endpoints = [
    { ip: '10.0.2.1', ready: false, serving: true, terminating: true },
    { ip: '10.0.2.2', ready: false, serving: false, terminating: true },
  ];
  const state = stateOf([service('web')], [slice('web', endpoints)]);
  assert.deepEqual(destinations(state, 'service-ips', '10.100.0.20 . tcp . 80'), ['10.0.2.1:8080']);
});

test('a service without endpoints is refused on all its addresses', () => {
  const spec = { type: 'LoadBalancer', externalIPs: ['192.0.2.7'], ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }] };
  const state = stateOf([service('web', spec, ['10.0.15.1'])], []);
  for (const address of ['10.100.0.20', '192.0.2.7', '10.0.15.1']) {
    assert.equal(destinations(state, 'service-ips', `${address} . tcp . 80`), 'refused');
  }
  assert.equal(destinations(state, 'service-nodeports', 'tcp . 30080'), 'refused');
});

test('a service gone from one type to another loses its node port', () => {
  const ports = [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }];
  const endpoints = [slice('web', [{ ip: '10.0.2.1' }])];
  assert.deepEqual(destinations(stateOf([service('web', { type: 'NodePort', ports })], endpoints), 'service-nodeports', 'tcp . 30080'), [
    '10.0.2.1:8080',
  ]);
  assert.equal(destinations(stateOf([service('web', { ports })], endpoints), 'service-nodeports', 'tcp . 30080'), 'none');
});

test('externalTrafficPolicy Local sends outside clients to endpoints of this node only, and drops them if there are none', () => {
  const spec = { type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }] };
  const both = slice('web', [{ ip: '10.0.2.1', node: 'here' }, { ip: '10.0.3.1' }]);
  assert.deepEqual(destinations(stateOf([service('web', spec)], [both]), 'service-nodeports', 'tcp . 30080'), ['10.0.2.1:8080']);
  assert.deepEqual(destinations(stateOf([service('web', spec)], [both]), 'service-ips', '10.100.0.20 . tcp . 80'), [
    '10.0.2.1:8080',
    '10.0.3.1:8080',
  ]);
  const away = slice('web', [{ ip: '10.0.3.1' }]);
  assert.deepEqual(destinations(stateOf([service('web', spec)], [away]), 'service-nodeports', 'tcp . 30080'), []);
});

test('internalTrafficPolicy Local keeps to this node', () => {
  const endpoints = slice('web', [{ ip: '10.0.2.1', node: 'here' }, { ip: '10.0.3.1' }]);
  const state = stateOf([service('web', { internalTrafficPolicy: 'Local' })], [endpoints]);
  assert.deepEqual(destinations(state, 'service-ips', '10.100.0.20 . tcp . 80'), ['10.0.2.1:8080']);
});

test('headless and external-name services, and those of another proxy, get no rules', () => {
  const other = service('other');
  other.metadata.labels = { 'service.kubernetes.io/service-proxy-name': 'mine' };
  const services = [
    service('headless', { clusterIP: 'None', clusterIPs: ['None'] }),
    service('name', { type: 'ExternalName', clusterIP: '' }),
    other,
  ];
  const ruleset = buildRuleset(stateOf(services, [slice('headless', [{ ip: '10.0.2.1' }]), slice('other', [{ ip: '10.0.2.1' }])]));
  assert.equal(ruleset.chains.size, 0);
  assert.equal(ruleset.maps['service-ips'].size, 0);
});

const everything = (): ProxyState =>
  stateOf(
    [
      service('web', { type: 'NodePort', ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }] }),
      service('sticky', { clusterIPs: ['10.100.0.21'], sessionAffinity: 'ClientIP' }),
      service('udp', { clusterIPs: ['10.100.0.22'], ports: [{ name: 'http', port: 53, protocol: 'UDP' }] }),
      service('sctp', { clusterIPs: ['10.100.0.23'], ports: [{ name: 'http', port: 99, protocol: 'SCTP' }] }),
      service('empty', {
        clusterIPs: ['10.100.0.24'],
        type: 'NodePort',
        ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30081 }],
      }),
      service(
        'balanced',
        { clusterIPs: ['10.100.0.25'], type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/20'], externalTrafficPolicy: 'Local' },
        ['10.0.15.3'],
      ),
      service('outside', { clusterIPs: ['10.100.0.26'], externalIPs: ['192.0.2.9'], internalTrafficPolicy: 'Local' }),
    ],
    [
      slice('web', [{ ip: '10.0.2.1', node: 'here' }, { ip: '10.0.3.1' }]),
      slice('sticky', [{ ip: '10.0.2.2', node: 'here' }, { ip: '10.0.3.2' }]),
      slice('udp', [{ ip: '10.0.3.3' }], 5353, 'UDP'),
      slice('sctp', [{ ip: '10.0.3.4' }], 9, 'SCTP'),
      slice('balanced', [{ ip: '10.0.2.5', node: 'here' }]),
      slice('outside', [{ ip: '10.0.3.6' }]),
    ],
  );

async function load(...scripts: string[]): Promise<string> {
  // Two runs of nft in one namespace: within one, the listing would not show what it has just loaded.
  return run('unshare', ['--net', 'sh', '-c', 'nft -f - && nft list table ip keks_proxy'], { input: scripts.join('\n') });
}

test('nft loads what every kind of service becomes', loading, async () => {
  const listing = await load(fullScript(buildRuleset(everything())));
  assert.match(listing, /dnat to 10\.0\.3\.4:9/);
  assert.match(listing, /masquerade/);
});

test('a change loads as a difference and leaves exactly what a full load would', loading, async () => {
  const before = everything();
  const after = everything();
  after.services = after.services.filter(({ metadata }) => metadata.name !== 'udp');
  after.services[1]!.spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 60 } };
  after.endpointSlices = [
    ...after.endpointSlices.filter(({ metadata }) => metadata.name !== 'web-x'),
    slice('web', [{ ip: '10.0.2.9', node: 'here' }]),
    slice('empty', [{ ip: '10.0.2.10' }]),
  ];
  const [old, current] = [buildRuleset(before), buildRuleset(after)];
  const difference = deltaScript(old, current)!;
  const incremental = await load(fullScript(old), difference);
  const whole = await load(fullScript(current));
  assert.deepEqual(blocksOf(incremental), blocksOf(whole));
  assert.ok(difference.length < fullScript(current).length);
  assert.equal(deltaScript(current, buildRuleset(after)), undefined);
});

/** Chains, sets and maps of a listing in an order that does not depend on when they were made. */
function blocksOf(listing: string): string[] {
  const blocks = listing.split(/\n(?=\t(?:chain|set|map) )/);
  return blocks
    .map((block) =>
      block
        .replace(/elements = \{([^}]*)\}/, (_, list: string) =>
          list
            .split(',')
            .map((item) => item.trim())
            .sort()
            .join(),
        )
        .replace(/\s+/g, ' ')
        .replace(/[ }]+$/, ''),
    )
    .sort();
}
