// IAM tokens: who gets in, and every token that does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessAttributes, UserInfo } from '#api/meta/access.ts';
import type { CredentialStore, Principal } from '#aws/credentials.ts';
import { issueIamToken } from '#aws/iam-token.ts';
import { presign } from '#aws/sign.ts';
import type { ClusterAccessOptions } from './cluster-access.ts';
import { accessPolicyAuthorizer, iamAuthenticator } from './cluster-access.ts';

const nowMs = Date.UTC(2026, 10, 23);
const minuteMs = 60_000;
const admin = { accessKeyId: 'AKIAADMIN', secretAccessKey: 'secret' };
const other = { accessKeyId: 'AKIAOTHER', secretAccessKey: 'other' };
const node = { accessKeyId: 'ASIANODE', secretAccessKey: 'node', sessionToken: 'sealed' };
const userArn = (name: string) => `arn:aws:iam::123456789012:user/${name}`;
const roleArn = 'arn:aws:iam::123456789012:role/path/node';

const principals: Record<string, { secretAccessKey: string; principal: Principal }> = {
  [admin.accessKeyId]: { secretAccessKey: admin.secretAccessKey, principal: principalOf('admin') },
  [other.accessKeyId]: { secretAccessKey: other.secretAccessKey, principal: principalOf('other') },
  [node.accessKeyId]: {
    secretAccessKey: node.secretAccessKey,
    principal: {
      ...principalOf('node'),
      arn: 'arn:aws:sts::123456789012:assumed-role/node/i-0123',
      canonicalArn: roleArn,
      userId: 'AROANODE:i-0123',
      sessionName: 'i-0123',
      accessKeyId: node.accessKeyId,
    },
  },
};

function principalOf(name: string): Principal {
  const arn = userArn(name);
  return {
    accountId: '123456789012',
    arn,
    canonicalArn: arn,
    userId: `AIDA${name}`,
    sessionName: '',
    accessKeyId: `AKIA${name.toUpperCase()}`,
  };
}

const credentials: CredentialStore = { find: (accessKeyId) => principals[accessKeyId] ?? 'unknown' };
const options: ClusterAccessOptions = {
  clusterName: 'a',
  credentials,
  now: () => nowMs,
  ownHosts: ['127.0.0.1:4577'],
  creatorArn: () => userArn('admin'),
  nodeOf: (role, id) => (role === roleArn && id === 'i-0123' ? { nodeName: 'ip-10-0-1-10.ec2.internal' } : undefined),
};
const authenticate = iamAuthenticator(options);
const tokenOf = (cluster: string, keys = admin, atMs = nowMs) => issueIamToken(cluster, keys, { region: 'us-east-1', nowMs: atMs }).token;

/** A token of any URL and headers, signed as AWS' clients do. */
function forged(url: string, headers: Record<string, string> = { 'x-k8s-aws-id': 'a' }, service = 'sts', expiresSeconds = 60): string {
  const signed = presign(new URL(url), headers, admin, { region: 'us-east-1', service, nowMs, expiresSeconds });
  return `k8s-aws-v1.${Buffer.from(signed).toString('base64url')}`;
}

const identityUrl = 'https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15';

test("the creator's token opens its cluster, under the creator's ARN", async () => {
  const user = await authenticate(tokenOf('a'));
  assert.equal(user!.name, userArn('admin'));
  assert.deepEqual(user!.groups, []);
  assert.equal(user!.uid, 'aws-iam-authenticator:123456789012:AIDAadmin');
  assert.deepEqual(user!.extra!.canonicalArn, [userArn('admin')]);
});

test("a node group's role opens the cluster as the node it belongs to", async () => {
  const user = await authenticate(tokenOf('a', node));
  assert.equal(user!.name, 'system:node:ip-10-0-1-10.ec2.internal');
  assert.deepEqual(user!.groups, ['system:bootstrappers', 'system:nodes']);
});

test('a token for cluster A does not open cluster B', async () => {
  await assert.rejects(iamAuthenticator({ ...options, clusterName: 'b' })(tokenOf('a')), /SignatureDoesNotMatch/);
});

test('tokens that are no IAM tokens are left to others', async () => {
  assert.equal(await authenticate('eyJhbGciOi'), undefined);
});

test('an IAM principal that the cluster does not know is refused', async () => {
  await assert.rejects(authenticate(tokenOf('a', other)), /no access entry for arn:aws:iam::123456789012:user\/other/);
});

test('a token lives fifteen minutes from its date, and not before it', async () => {
  assert.ok(await authenticate(tokenOf('a', admin, nowMs - 14 * minuteMs)));
  await assert.rejects(authenticate(tokenOf('a', admin, nowMs - 15 * minuteMs)), /X-Amz-Date parameter is expired/);
  await assert.rejects(authenticate(tokenOf('a', admin, nowMs + 6 * minuteMs)), /X-Amz-Date parameter is in the future/);
});

test('a token that was accepted once is refused when it has grown old, and when its key is gone or another', async () => {
  const keys = new Map(Object.entries(principals));
  let now = nowMs;
  const recognise = iamAuthenticator({ ...options, now: () => now, credentials: { find: (id) => keys.get(id) ?? 'unknown' } });
  const token = tokenOf('a');
  assert.deepEqual(await recognise(token), await recognise(token));

  keys.set(admin.accessKeyId, { ...principals[admin.accessKeyId]!, secretAccessKey: 'replaced' });
  await assert.rejects(recognise(token), /SignatureDoesNotMatch/);
  keys.delete(admin.accessKeyId);
  await assert.rejects(recognise(token), /InvalidClientTokenId/);
  keys.set(admin.accessKeyId, principals[admin.accessKeyId]!);
  assert.equal((await recognise(token))?.name, userArn('admin'));

  now = nowMs + 15 * minuteMs;
  await assert.rejects(recognise(token), /expired/);
});

test('a wrong secret or an unknown key is refused', async () => {
  await assert.rejects(authenticate(tokenOf('a', { ...admin, secretAccessKey: 'x' })), /SignatureDoesNotMatch/);
  await assert.rejects(authenticate(tokenOf('a', { ...admin, accessKeyId: 'AKIANONE' })), /InvalidClientTokenId/);
});

test('only STS hosts and our own endpoint may stand in the URL, and nothing is ever fetched', async (t) => {
  t.mock.method(globalThis, 'fetch', () => assert.fail('fetched'));
  assert.ok(await authenticate(forged(identityUrl)));
  assert.ok(await authenticate(forged(identityUrl.replace('sts.us-east-1.', 'sts.'))));
  assert.ok(await authenticate(forged('http://127.0.0.1:4577/?Action=GetCallerIdentity&Version=2011-06-15')));
  for (const host of [
    'http://127.0.0.1:9999',
    'https://169.254.169.254',
    'https://sts.us-east-1.amazonaws.com.evil.example',
    'https://evil.example',
  ]) {
    await assert.rejects(authenticate(forged(`${host}/?Action=GetCallerIdentity&Version=2011-06-15`)), /unexpected (hostname|scheme)/);
  }
  await assert.rejects(authenticate(forged(identityUrl.replace('https', 'http'))), /unexpected scheme/);
});

test('a URL that asks for anything but the identity is refused', async () => {
  await assert.rejects(authenticate(forged(identityUrl.replace('GetCallerIdentity', 'AssumeRole'))), /unexpected action/);
  await assert.rejects(authenticate(forged(`${identityUrl}&RoleArn=x`)), /non-whitelisted query parameter "RoleArn"/);
  await assert.rejects(authenticate(forged(`${identityUrl}&version=2`)), /with multiple values/);
  await assert.rejects(authenticate(forged(identityUrl.replace('com/', 'com/path'))), /unexpected path/);
  await assert.rejects(authenticate(forged(identityUrl, {})), /did not sign the x-k8s-aws-id header/);
  await assert.rejects(authenticate(forged(identityUrl, { 'x-k8s-aws-id': 'a' }, 'eks')), /unexpected service/);
  await assert.rejects(authenticate(forged(identityUrl, { 'x-k8s-aws-id': 'a' }, 'sts', 901)), /invalid X-Amz-Expires/);
});

test('what is no URL, or too large, is refused', async () => {
  await assert.rejects(authenticate('k8s-aws-v1.!!'), /not base64url/);
  await assert.rejects(authenticate(`k8s-aws-v1.${Buffer.from('nothing').toString('base64url')}`), /holds no URL/);
  await assert.rejects(authenticate(`k8s-aws-v1.${'x'.repeat(4096)}`), /must not exceed 4096 bytes/);
});

test('the creator may do everything; whoever impersonates or is another principal is asked of RBAC', async () => {
  const authorize = accessPolicyAuthorizer(options);
  const asking = (user: UserInfo) => authorize({ user, verb: 'delete', resource: 'nodes' } as AccessAttributes).decision;
  const creator = (await authenticate(tokenOf('a')))!;
  assert.equal(asking(creator), 'allow');
  assert.equal(asking({ name: creator.name, groups: [] }), 'none');
  assert.equal(asking((await authenticate(tokenOf('a', node)))!), 'none');
  const withoutBootstrap = accessPolicyAuthorizer({ creatorArn: () => undefined });
  assert.equal(withoutBootstrap({ user: creator } as AccessAttributes).decision, 'none');
});
