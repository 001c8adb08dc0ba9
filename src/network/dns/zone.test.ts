// The cluster's names, as a resolver in a pod asks for them.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { decode, encode } from 'dns-packet';
import type { Answer } from 'dns-packet';
import type { Service } from '#api/generated/core-v1.ts';
import type { EndpointSlice } from '#api/generated/discovery-v1.ts';
import { silentLog } from '#lib/log.ts';
import { seededRandom } from '#lib/random.ts';
import { systemClock } from '#lib/clock.ts';
import { respond } from './respond.ts';
import { listenDns } from './server.ts';
import { createForwarder } from './upstream.ts';
import type { ZoneView } from './zone.ts';
import { resolve } from './zone.ts';

const service = (name: string, spec: Service['spec']): Service => ({ metadata: { name, namespace: 'default' }, spec });
const services = [
  service('web', { clusterIP: '10.100.0.20', clusterIPs: ['10.100.0.20'], ports: [{ name: 'http', port: 80 }] }),
  service('db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432 }] }),
  service('idle', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ port: 1 }] }),
  service('shop', { type: 'ExternalName', externalName: 'shop.example.com' }),
  service('alias', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' }),
];
const dbSlice: EndpointSlice = {
  metadata: { name: 'db-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'db' } },
  addressType: 'IPv4',
  ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  endpoints: [
    { addresses: ['10.0.2.1'], hostname: 'db-0' },
    { addresses: ['10.0.2.2'], conditions: { ready: true } },
    { addresses: ['10.0.2.3'], conditions: { ready: false } },
  ],
};
const view: ZoneView = {
  domain: 'cluster.local',
  service: (namespace, name) => services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
  hasNamespace: (namespace) => ['default', 'kube-system'].includes(namespace),
  slices: (_, name) => (name === 'db' ? [dbSlice] : []),
  servicesAt: (address) => services.filter(({ spec }) => spec.clusterIP === address),
  slicesAt: (address) => (dbSlice.endpoints!.some(({ addresses }) => addresses.includes(address)) ? [dbSlice] : []),
};

function ask(name: string, type = 'A'): unknown {
  const answer = resolve(view, { name, type });
  if (answer.kind !== 'answers') return answer.kind;
  return answer.answers.map(({ data }) => data);
}

test('a service has the address of its service', () => {
  assert.deepEqual(ask('web.default.svc.cluster.local'), ['10.100.0.20']);
  assert.deepEqual(ask('WEB.Default.svc.cluster.local.'), ['10.100.0.20']);
  assert.equal(ask('web.default.svc.cluster.local', 'AAAA'), 'noData');
});

test('a headless service has the addresses of its ready pods, and each pod a name', () => {
  assert.deepEqual(ask('db.default.svc.cluster.local'), ['10.0.2.1', '10.0.2.2']);
  assert.deepEqual(ask('db-0.db.default.svc.cluster.local'), ['10.0.2.1']);
  assert.deepEqual(ask('10-0-2-2.db.default.svc.cluster.local'), ['10.0.2.2']);
  assert.equal(ask('10-0-2-3.db.default.svc.cluster.local'), 'noName');
  assert.equal(ask('idle.default.svc.cluster.local'), 'noName');
});

test('SRV records name ports and targets', () => {
  assert.deepEqual(ask('_http._tcp.web.default.svc.cluster.local', 'SRV'), [
    { priority: 0, weight: 100, port: 80, target: 'web.default.svc.cluster.local' },
  ]);
  assert.deepEqual(ask('_sql._tcp.db.default.svc.cluster.local', 'SRV'), [
    { priority: 0, weight: 50, port: 5432, target: 'db-0.db.default.svc.cluster.local' },
    { priority: 0, weight: 50, port: 5432, target: '10-0-2-2.db.default.svc.cluster.local' },
  ]);
  assert.equal(ask('_nope._tcp.web.default.svc.cluster.local', 'SRV'), 'noName');
});

test('an external name is an alias', () => {
  assert.deepEqual(ask('shop.default.svc.cluster.local'), ['shop.example.com']);
});

test('a pod address spelled as a name is that address', () => {
  assert.deepEqual(ask('10-0-2-1.default.pod.cluster.local'), ['10.0.2.1']);
  assert.equal(ask('10-0-2-1.nowhere.pod.cluster.local'), 'noName');
  assert.equal(ask('10-0-2-999.default.pod.cluster.local'), 'noName');
});

test('addresses have names: services, and pods of headless services', () => {
  assert.deepEqual(ask('20.0.100.10.in-addr.arpa', 'PTR'), ['web.default.svc.cluster.local']);
  assert.deepEqual(ask('1.2.0.10.in-addr.arpa', 'PTR'), ['db-0.db.default.svc.cluster.local']);
  assert.equal(ask('1.1.1.1.in-addr.arpa', 'PTR'), 'elsewhere');
});

test('what does not exist is told apart from what has no such record, and from what is not ours', () => {
  assert.equal(ask('nope.default.svc.cluster.local'), 'noName');
  assert.equal(ask('web.nowhere.svc.cluster.local'), 'noName');
  assert.equal(ask('default.svc.cluster.local'), 'noData');
  assert.equal(ask('svc.cluster.local'), 'noData');
  assert.equal(ask('example.com.default.svc.cluster.local'), 'noName');
  assert.equal(ask('example.com'), 'elsewhere');
  assert.equal(ask('notcluster.local'), 'elsewhere');
});

const random = seededRandom(1);
const query = (name: string, type = 'A'): Buffer => encode({ type: 'query', id: 77, flags: 0x100, questions: [{ name, type }] });

async function answerTo(name: string, forward?: (query: Buffer) => Promise<Buffer>, type = 'A') {
  return decode((await respond({ view, random, forward }, query(name, type), 'udp'))!);
}

test('names from outside come from the resolvers outside; without any they are refused, and failures are told as such', async () => {
  const outside = async (bytes: Buffer) => {
    const { id, questions } = decode(bytes);
    const answers: Answer[] = [{ name: questions![0]!.name, type: 'A', ttl: 60, data: '192.0.2.80' }];
    return encode({ type: 'response', id: id!, questions: questions!, answers });
  };
  assert.equal((await answerTo('example.com', outside)).answers![0]!.data, '192.0.2.80');
  assert.deepEqual(
    (await answerTo('shop.default.svc.cluster.local', outside)).answers!.map(({ data }) => data),
    ['shop.example.com', '192.0.2.80'],
  );
  assert.deepEqual(
    (await answerTo('alias.default.svc.cluster.local')).answers!.map(({ data }) => data),
    ['web.default.svc.cluster.local', '10.100.0.20'],
  );
  assert.equal((await answerTo('example.com')).rcode, 'REFUSED');
  assert.equal((await answerTo('example.com', () => Promise.reject(new Error('down')))).rcode, 'SERVFAIL');
  const missing = await answerTo('nope.default.svc.cluster.local');
  assert.equal(missing.rcode, 'NXDOMAIN');
  assert.equal(missing.authorities![0]!.type, 'SOA');
  assert.equal(await respond({ view, random, forward: undefined }, Buffer.from('noise'), 'udp'), undefined);
});

test('an answer too long for UDP is cut, and whole over TCP', async () => {
  const many = Array.from({ length: 100 }, (_, i) => ({ addresses: [`10.0.3.${i}`] }));
  const crowded: ZoneView = { ...view, slices: () => [{ ...dbSlice, endpoints: many }] };
  const server = await listenDns({
    address: '127.0.0.1',
    port: 0,
    log: silentLog,
    respond: (bytes, transport) => respond({ view: crowded, random, forward: undefined }, bytes, transport),
  });
  try {
    const udp = createSocket('udp4');
    udp.send(query('db.default.svc.cluster.local'), server.port, '127.0.0.1');
    const [cut] = (await once(udp, 'message')) as [Buffer];
    udp.close();
    assert.equal(decode(cut).flag_tc, true);
    const tcp = connect(server.port, '127.0.0.1');
    const bytes = query('db.default.svc.cluster.local');
    tcp.write(Buffer.concat([Buffer.from([0, bytes.length]), bytes]));
    let received = Buffer.alloc(0);
    for await (const chunk of tcp) {
      received = Buffer.concat([received, chunk as Buffer]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) break;
    }
    assert.equal(decode(received.subarray(2)).answers!.length, 100);
  } finally {
    await server.close();
  }
});

test('a resolver that is not there fails the question instead of hanging', async () => {
  const forward = createForwarder(['127.0.0.1'], systemClock, 1)!;
  await assert.rejects(forward(query('example.com')), /ECONNREFUSED/);
});

test('an answer that is too long for UDP carries what there is room for, and says so', async () => {
  const endpoints = Array.from({ length: 40 }, (_, i) => ({ addresses: [`10.0.3.${i}`] }));
  const crowd: ZoneView = { ...view, slices: () => [{ ...dbSlice, endpoints }] };
  const reply = async (name: string, type: string, transport: 'udp' | 'tcp') => {
    const query = encode({ type: 'query', id: 1, questions: [{ name, type }] });
    const bytes = await respond({ view: crowd, random: seededRandom(1), forward: undefined }, query, transport);
    return { length: bytes!.length, ...decode(bytes!) };
  };
  const whole = await reply('db.default.svc.cluster.local', 'A', 'tcp');
  assert.equal(whole.answers!.length, 40);
  const part = await reply('db.default.svc.cluster.local', 'A', 'udp');
  assert.ok(part.flag_tc && part.length <= 512 && part.answers!.length > 5);
  const few: ZoneView = { ...view, slices: () => [{ ...dbSlice, endpoints: endpoints.slice(0, 4) }] };
  const query = encode({ type: 'query', id: 1, questions: [{ name: '_sql._tcp.db.default.svc.cluster.local', type: 'SRV' }] });
  const records = decode((await respond({ view: few, random: seededRandom(1), forward: undefined }, query, 'udp'))!);
  assert.equal(records.flag_tc, false, 'what was not asked for goes first');
  assert.equal(records.answers!.length, 4);
});
