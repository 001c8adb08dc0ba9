// Thousands of requests that nobody would send on purpose: each is answered, none with a 500, and the server goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceType } from '#api/meta/object.ts';
import { seededRandom } from '#lib/random.ts';
import { samples } from './resources/samples.fixture.ts';
import type { Call, TestServer } from './server.fixture.ts';
import { call, startTestServer } from './server.fixture.ts';

const seed = Number(process.env['KEKS_FUZZ_SEED'] ?? 1);
const requests = Number(process.env['KEKS_FUZZ_REQUESTS'] ?? 3000);

/** Upstream itself answers these with a bare 500. */
const upstreamsOwn = ['resourceVersion should not be set on objects to be created', 'does not contain declared merge key'];

interface Sent extends Call {
  url: string;
}

test(`${requests} mutated requests are answered, none with a 500`, { timeout: 120_000 }, async () => {
  const fixture = await startTestServer();
  const pick = picker(seed);
  const wrong = new Map<string, unknown>();
  const seen = new Map<number, number>();
  for (let count = 0; count < requests; count++) {
    const sent = mutated(pick, pick.of(fixture.server.resources).type);
    const answer = await answerOf(fixture, sent);
    const { body, ...head } = sent;
    if ('hung' in answer) wrong.set('hung', { count, ...head, body: String(body) });
    else if (answer.status >= 500) wrong.set(answer.text, { count, ...head, body: String(body) });
    if ('status' in answer) seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(wrong), {});
  // It was no monoculture.
  for (const status of [200, 201, 400, 404, 405, 409, 415, 422]) assert.ok(seen.get(status)! > 0, `never ${status} in ${[...seen]}`);
  assert.equal((await call(fixture.server, '/api/v1/namespaces')).status, 200);
  await fixture.server.stop();
});

type Pick = ReturnType<typeof picker>;

function picker(from: number) {
  const random = seededRandom(from);
  const below = (limit: number) => Math.floor(random.next() * limit);
  return { below, of: <T>(all: readonly T[]): T => all[below(all.length)]!, chance: (share: number) => random.next() < share };
}

async function answerOf({ server, clock }: TestServer, sent: Sent): Promise<{ status: number; text: string } | { hung: true }> {
  const leaving = new AbortController();
  let answer: { status: number; text: string } | undefined;
  const answered = call(server, sent.url, { ...sent, signal: leaving.signal }).then(
    ({ status, text }) => (answer = upstreamsOwn.some((known) => text.includes(known)) ? { status: 400, text } : { status, text }),
    (error: unknown) => (answer = { status: 599, text: String(error) }),
  );
  // What waits for a revision waits on the clock; a watch ends when its client leaves.
  for (let turn = 0; turn < 30 && answer === undefined; turn++) await new Promise(setImmediate);
  for (let turn = 0; turn < 5 && answer === undefined; turn++) await clock.advance(1000);
  leaving.abort();
  if (answer !== undefined) return answer;
  const limit = new Promise<{ hung: true }>((resolve) => {
    AbortSignal.timeout(5000).addEventListener('abort', () => resolve({ hung: true }));
  });
  return await Promise.race([answered, limit]);
}

const odd = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  '',
  ' ',
  'a',
  'A_',
  '..',
  '../x',
  '%',
  '\u0000',
  '💥',
  'x'.repeat(300),
  '10.0.0.300',
];
const oddValues = [...odd, [], {}, [[]], [null], { a: null }, { '': '' }, { $patch: 'delete' }, { $patch: 'x' }, { __proto__: null }];
const words = [
  '',
  'a',
  'web',
  'default',
  'kube-system',
  'status',
  'scale',
  'exec',
  'log',
  'binding',
  'eviction',
  'token',
  'ephemeralcontainers',
  'approval',
  '%2e%2e',
  '%zz',
  '%00',
  'A B',
  '*',
  'constructor',
  '__proto__',
  'toString',
];
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'get', 'X'];
const types = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'text/plain',
  '',
  ';',
  'application/json; charset=x',
];
const accepts = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'text/html',
  '*/*',
  '',
  'q=;,,',
];
const queries = [
  'watch',
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'labelSelector',
  'fieldSelector',
  'timeoutSeconds',
  'allowWatchBookmarks',
  'sendInitialEvents',
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'gracePeriodSeconds',
  'propagationPolicy',
  'orphanDependents',
  'pretty',
  'includeObject',
  'force',
  'container',
  'command',
  'tailLines',
  'follow',
  '',
];
const queryValues = [
  '',
  '0',
  '1',
  '-1',
  'true',
  'false',
  'All',
  'Strict',
  'Ignore',
  'Exact',
  'NotOlderThan',
  'a=b',
  'a in (b,c)',
  '!a',
  'a>1',
  'metadata.name=web',
  'spec.nodeName=',
  'x,',
  '%',
  '%%%',
  '99999999999999999999',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0',
  'Orphan',
  'Foreground',
  '💥',
  '(',
  'Object',
];

function mutated(pick: Pick, type: ResourceType): Sent {
  const sample = samples[type.plural] ?? { metadata: { name: 'web' } };
  const group = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const path = [
    group.slice(1),
    ...(type.namespaced && pick.chance(0.9) ? ['namespaces', pick.of(['default', 'default', 'default', 'nope'])] : []),
    type.plural,
  ];
  const method = pick.of(methods.slice(0, pick.chance(0.9) ? 5 : methods.length));
  if (method !== 'POST' ? pick.chance(0.8) : pick.chance(0.1)) path.push(pick.of(['web', 'web', 'web', 'a', pick.of(words)]));
  if (pick.chance(0.15)) path.push(pick.of(words));
  if (pick.chance(0.05)) path[pick.below(path.length)] = pick.of(words);
  const query = Array.from(
    { length: pick.chance(0.5) ? pick.below(3) : 0 },
    () => `${pick.of(queries)}=${encodeURIComponent(pick.of(queryValues))}`,
  );
  const headers: Record<string, string> = {};
  if (pick.chance(0.3)) headers['accept'] = pick.of(accepts);
  if (pick.chance(0.2)) headers['content-type'] = pick.of(types);
  else if (method === 'PATCH') headers['content-type'] = pick.of(types.slice(3, 6));
  const whole = {
    apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
    kind: type.kind,
    ...structuredClone(sample),
  };
  const changed = changes(pick, whole);
  const body = method === 'GET' || method === 'HEAD' ? undefined : bytesOf(pick, method === 'PATCH' ? patchOf(pick, changed) : changed);
  return {
    method,
    url: `/${path.join('/')}${query.length > 0 ? `?${query.join('&')}` : ''}`,
    headers,
    ...(body !== undefined && { body }),
  };
}

/** Up to three values somewhere in the object are others, gone or more. */
function changes(pick: Pick, whole: Record<string, unknown>): Record<string, unknown> {
  for (let count = pick.below(4); count > 0; count--) {
    let place: Record<string, unknown> = whole;
    for (;;) {
      const names = Object.keys(place);
      const name = names.length === 0 || pick.chance(0.05) ? pick.of(words) : pick.of(names);
      const next = Object.hasOwn(place, name) ? place[name] : undefined;
      if (typeof next === 'object' && next !== null && pick.chance(0.8)) {
        place = next as Record<string, unknown>;
        continue;
      }
      if (pick.chance(0.2)) delete place[name];
      else
        Object.defineProperty(place, name, {
          value: structuredClone(pick.of(oddValues)),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      break;
    }
  }
  return whole;
}

function patchOf(pick: Pick, changed: Record<string, unknown>): unknown {
  if (pick.chance(0.6)) return changed;
  const pointer = () =>
    pick.of([
      '',
      '/',
      '/metadata',
      '/metadata/labels',
      '/metadata/labels/a',
      '/spec',
      '/spec/x/0',
      '/data',
      '/~',
      '/__proto__/x',
      '/metadata/name',
      'x',
    ]);
  const operation = () => ({
    op: pick.of(['add', 'remove', 'replace', 'move', 'copy', 'test', 'x', 5]),
    path: pointer(),
    from: pointer(),
    value: pick.of(oddValues),
  });
  return Array.from({ length: 1 + pick.below(3) }, operation);
}

/** Mostly well-formed; now and then bytes are lost or changed. */
function bytesOf(pick: Pick, value: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(value));
  if (pick.chance(0.9)) return bytes;
  const at = pick.below(bytes.length);
  if (pick.chance(0.5)) return bytes.subarray(0, at);
  bytes[at] = pick.below(256);
  return bytes;
}
