// Identities: service account tokens and what they are bound to, headers, impersonation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, ServiceAccount } from '#api/generated/core-v1.ts';
import type { UserInfo } from '#api/meta/access.ts';
import { ApiError } from '#api/meta/errors.ts';
import { createAuthority, createKeyPair, issueClient } from '#lib/certificates.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
import { silentLog } from '#lib/log.ts';
import { seededRandom } from '#lib/random.ts';
import { virtualClock } from '#lib/virtual-clock.ts';
import { X509Certificate } from 'node:crypto';
import { createAuthentication } from './authenticate.ts';
import { oidcDiscovery } from './oidc-discovery.ts';
import { createServiceAccountTokens } from './service-account-tokens.ts';

const keys = await createKeyPair();
const account: ServiceAccount = { metadata: { name: 'app', namespace: 'default', uid: 'sa-1' } };
const pod: Pod = {
  metadata: { name: 'web', namespace: 'default', uid: 'pod-1' },
  spec: { serviceAccountName: 'app', nodeName: 'n', containers: [] },
};
const node: Node = { metadata: { name: 'n', uid: 'node-1' }, spec: {} };

function cluster() {
  const clock = virtualClock();
  const random = seededRandom(1);
  const objects = new Map<string, unknown>([
    ['sa/default/app', account],
    ['pod/default/web', pod],
    ['node/n', node],
  ]);
  const tokens = createServiceAccountTokens({
    issuer: 'https://oidc.example/id/1',
    audiences: ['https://kubernetes.default.svc'],
    privateKey: keys.privateKey,
    clock,
    random,
    objects: {
      serviceAccount: (namespace, name) => objects.get(`sa/${namespace}/${name}`) as ServiceAccount,
      pod: (namespace, name) => objects.get(`pod/${namespace}/${name}`) as Pod,
      secret: () => undefined,
      node: (name) => objects.get(`node/${name}`) as Node,
    },
  });
  const issue = async (spec: object) => (await tokens.issue({ account, tokenRequest: { metadata: {}, spec } })).status!;
  const allowed: string[] = [];
  const { authenticate, impersonatorOf } = createAuthentication({
    tokenAuthenticators: [
      async (token) => (await tokens.verify(token))?.user,
      async (token) => (token === 'iam' ? { name: 'arn', groups: [] } : undefined),
    ],
    authorize: ({ verb, resource, name, subresource }) => ({
      decision: allowed.includes(`${verb} ${resource}${subresource && `/${subresource}`} ${name}`) ? 'allow' : 'none',
      reason: '',
    }),
    log: silentLog,
  });
  return { clock, random, objects, tokens, issue, authenticate, impersonatorOf, allowed };
}

const request = (headers: Record<string, string>, clientCertificate?: Buffer): HttpRequest => ({
  method: 'GET',
  path: '/',
  query: '',
  headers,
  remoteAddress: '127.0.0.1',
  ...(clientCertificate && { clientCertificate }),
  body: () => Promise.resolve(Buffer.alloc(0)),
  signal: new AbortController().signal,
});
const bearer = (token = '') => request({ authorization: `Bearer ${token}` });
const refused = (code: number, message?: RegExp) => (error: unknown) =>
  error instanceof ApiError && error.code === code && (message?.test(error.message) ?? true);

test("a pod's token says who, where and by which credential", async () => {
  const { issue, authenticate } = cluster();
  const { token } = await issue({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web', uid: 'pod-1' } });
  const user = await authenticate(bearer(token));
  const { 'authentication.kubernetes.io/credential-id': credential, ...extra } = user.extra!;
  assert.match(credential![0]!, /^JTI=[0-9a-f-]{36}$/);
  assert.deepEqual(
    { ...user, extra },
    {
      name: 'system:serviceaccount:default:app',
      uid: 'sa-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/pod-name': ['web'],
        'authentication.kubernetes.io/pod-uid': ['pod-1'],
        'authentication.kubernetes.io/node-name': ['n'],
        'authentication.kubernetes.io/node-uid': ['node-1'],
      },
    },
  );
});

test('a token is good as long as its time, its account and its pod last', async () => {
  const { issue, authenticate, clock, objects } = cluster();
  const { token } = await issue({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web' }, expirationSeconds: 600 });
  await authenticate(bearer(token));
  objects.set('pod/default/web', { ...pod, metadata: { ...pod.metadata, uid: 'pod-2' } });
  await assert.rejects(authenticate(bearer(token)), refused(401, /^Unauthorized$/));
  objects.set('pod/default/web', pod);
  await authenticate(bearer(token));
  objects.delete('sa/default/app');
  await assert.rejects(authenticate(bearer(token)), refused(401));
  objects.set('sa/default/app', account);
  await clock.advance(601_000);
  await assert.rejects(authenticate(bearer(token)), refused(401));
});

test('tokens of other audiences, other keys and no sense are refused', async () => {
  const { issue, authenticate, tokens } = cluster();
  const { token } = await issue({ audiences: ['sts.amazonaws.com'] });
  await assert.rejects(authenticate(bearer(token)), refused(401));
  assert.deepEqual((await tokens.verify(token!, ['sts.amazonaws.com', 'x']))!.audiences, ['sts.amazonaws.com']);
  await assert.rejects(tokens.verify(token!, ['x']), /token audiences \["sts.amazonaws.com"\] is invalid for the target audiences \["x"\]/);
  const { token: good } = await issue({});
  const [head, body, signature] = good!.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'system:serviceaccount:kube-system:x' })).toString('base64url');
  await assert.rejects(authenticate(bearer(`${head}.${forged}.${signature}`)), refused(401));
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
  await assert.rejects(authenticate(bearer(unsigned)), refused(401));
  await assert.rejects(authenticate(bearer('nonsense')), refused(401));
});

test('a token request is held to its limits', async () => {
  const { issue } = cluster();
  await assert.rejects(
    issue({ expirationSeconds: 599 }),
    refused(
      422,
      /^TokenRequest\.authentication\.k8s\.io "app" is invalid: spec\.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes$/,
    ),
  );
  await assert.rejects(issue({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'gone' } }), refused(404, /^pods "gone" not found$/));
  await assert.rejects(
    issue({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web', uid: 'x' } }),
    refused(409, /does not match the UID in record/),
  );
  await assert.rejects(
    issue({ boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'x' } }),
    refused(400, /cannot bind token to object of type \/v1, Kind=ConfigMap/),
  );
});

test('the token a kubelet asks for lives on for clients that never read it again', async () => {
  const { issue, clock } = cluster();
  const status = await issue({ expirationSeconds: 3607, boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web' } });
  assert.equal(Date.parse(status.expirationTimestamp!) - clock.now(), 365 * 86_400_000);
  const claims = JSON.parse(Buffer.from(status.token!.split('.')[1]!, 'base64url').toString());
  assert.equal(claims['kubernetes.io'].warnafter - claims.iat, 3607);
});

test('a certificate comes first, then a token of any kind; nobody is anonymous', async () => {
  const { authenticate, random, clock } = cluster();
  const authority = await createAuthority({ commonName: 'ca', clock, random });
  const pair = await issueClient(authority, { clock, random, commonName: 'jane', organizations: ['system:masters'] });
  const jane = await authenticate(request({ authorization: 'Bearer iam' }, new X509Certificate(pair.certificate).raw));
  assert.deepEqual([jane.name, jane.groups], ['jane', ['system:masters', 'system:authenticated']]);
  assert.match(jane.extra!['authentication.kubernetes.io/credential-id']![0]!, /^X509SHA256=[0-9a-f]{64}$/);
  assert.equal((await authenticate(bearer('iam'))).name, 'arn');
  assert.deepEqual(await authenticate(request({})), { name: 'system:anonymous', groups: ['system:unauthenticated'] });
  assert.equal((await authenticate(request({ authorization: 'Basic eDp5' }))).name, 'system:anonymous');
  const protocol = `base64url.bearer.authorization.k8s.io.${Buffer.from('iam').toString('base64url')}`;
  assert.equal(
    (await authenticate(request({ upgrade: 'websocket', 'sec-websocket-protocol': `v5.channel.k8s.io, ${protocol}` }))).name,
    'arn',
  );
});

test('impersonation needs the right to each part of the identity', async () => {
  const { authenticate, allowed, impersonatorOf } = cluster();
  const headers = {
    authorization: 'Bearer iam',
    'impersonate-user': 'bob',
    'impersonate-group': 'dev, ops',
    'impersonate-extra-reason': 'why',
  };
  await assert.rejects(
    authenticate(request(headers)),
    refused(403, /^users "bob" is forbidden: User "arn" cannot impersonate resource "users" in API group "" at the cluster scope$/),
  );
  allowed.push('impersonate users bob', 'impersonate groups dev');
  await assert.rejects(authenticate(request(headers)), refused(403, /groups "ops" is forbidden/));
  allowed.push('impersonate groups ops', 'impersonate userextras/reason why');
  const bob: UserInfo = await authenticate(request(headers));
  assert.deepEqual(bob, { name: 'bob', groups: ['dev', 'ops', 'system:authenticated'], extra: { reason: ['why'] } });
  assert.equal(impersonatorOf(bob)?.name, 'arn');
  allowed.push('impersonate serviceaccounts app');
  const app = await authenticate(request({ authorization: 'Bearer iam', 'impersonate-user': 'system:serviceaccount:default:app' }));
  assert.deepEqual(app.groups, ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated']);
});

test('the OpenID documents let others verify tokens', async () => {
  const { tokens } = cluster();
  const handlers = oidcDiscovery(tokens, 'https://oidc.example/id/1/openid/v1/jwks');
  const read = async (path: keyof typeof handlers) => JSON.parse(String(((await handlers[path](request({}))) as { body: Buffer }).body));
  const document = await read('/.well-known/openid-configuration');
  assert.deepEqual([document.issuer, document.id_token_signing_alg_values_supported], ['https://oidc.example/id/1', ['ES256']]);
  const [key] = (await read('/openid/v1/jwks')).keys;
  assert.deepEqual([key.kty, key.crv, key.use, key.alg, 'd' in key], ['EC', 'P-256', 'sig', 'ES256', false]);
});
