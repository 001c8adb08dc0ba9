// Load balancer addresses and the nodes behind them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Service } from '#api/generated/core-v1.ts';
import type { EndpointSlice } from '#api/generated/discovery-v1.ts';
import { parseAddress } from '../ipam/cidr.ts';
import { assignAddresses, planRoutes } from './assign.ts';

const range = { first: parseAddress('10.0.15.0')!, last: parseAddress('10.0.15.2')! };
const service = (name: string, ip?: string, spec: Partial<Service['spec']> = {}): Service => ({
  metadata: { name, namespace: 'default', creationTimestamp: `2026-01-01T00:00:0${name.length}Z` },
  spec: { type: 'LoadBalancer', ...spec },
  status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
});
const changesOf = (...services: Service[]) =>
  assignAddresses(services, range).map(({ service: { metadata }, address, problem }) => [metadata.name, address ?? problem ?? 'none']);

test('a service keeps the address that it has', () => {
  assert.deepEqual(changesOf(service('a', '10.0.15.1'), service('bb')), [['bb', '10.0.15.0']]);
});

test('of two services with one address the older keeps it', () => {
  assert.deepEqual(changesOf(service('bb', '10.0.15.0'), service('a', '10.0.15.0')), [['bb', '10.0.15.1']]);
});

test('an address outside the range is replaced, as after a move to another subnet', () => {
  assert.deepEqual(changesOf(service('a', '192.0.2.1')), [['a', '10.0.15.0']]);
});

test('a service that asks for an address gets it or is told why not', () => {
  assert.deepEqual(changesOf(service('a', '10.0.15.0', { loadBalancerIP: '10.0.15.2' })), [['a', '10.0.15.2']]);
  assert.deepEqual(changesOf(service('a', undefined, { loadBalancerIP: '192.0.2.1' })), [
    ['a', "the address 192.0.2.1 is not free in the cluster's subnet"],
  ]);
});

test('a full range says so', () => {
  const all = [0, 1, 2].map((last) => service('x'.repeat(last + 1), `10.0.15.${last}`));
  assert.deepEqual(changesOf(...all, service('late')), [['late', "no address is left in the cluster's subnet"]]);
});

test('a service that is no longer balanced gives its address back; one of another class is left alone', () => {
  assert.deepEqual(changesOf(service('a', '10.0.15.0', { type: 'ClusterIP' })), [['a', 'none']]);
  assert.deepEqual(changesOf(service('a', undefined, { loadBalancerClass: 'example.com/mine' })), []);
});

const node = (name: string, ip: string, ready = 'True', labels: Record<string, string> = {}): Node => ({
  metadata: { name, labels },
  spec: {},
  status: { addresses: [{ type: 'InternalIP', address: ip }], conditions: [{ type: 'Ready', status: ready }] },
});
const nodes = [
  node('a', '10.0.0.11'),
  node('b', '10.0.0.12'),
  node('c', '10.0.0.13', 'Unknown'),
  node('d', '10.0.0.14', 'True', { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }),
];
const slice: EndpointSlice = {
  metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.2.1'], nodeName: 'b' }],
};

test('ready nodes take the traffic; with externalTrafficPolicy Local only those with endpoints', () => {
  const routes = (spec: Partial<Service['spec']>, endpointSlices: EndpointSlice[]) =>
    Object.fromEntries(planRoutes({ services: [service('web', '10.0.15.0', spec)], endpointSlices, nodes }));
  assert.deepEqual(routes({}, []), { '10.0.15.0': ['10.0.0.11', '10.0.0.12'] });
  assert.deepEqual(routes({ externalTrafficPolicy: 'Local' }, [slice]), { '10.0.15.0': ['10.0.0.12'] });
  assert.deepEqual(routes({ externalTrafficPolicy: 'Local' }, []), {});
});
