// STS and IAM through AWS' own SDK and raw forms.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { EKSClient, ListClustersCommand } from '@aws-sdk/client-eks';
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { virtualClock } from '#lib/virtual-clock.ts';
import type { Endpoint } from '#root/test/support/eks-endpoint.ts';
import { startEndpoint } from '#root/test/support/eks-endpoint.ts';
import { signHeaders } from './sign.ts';

function stsOf(t: TestContext, { endpoint, credentials, region }: Endpoint): STSClient {
  const sts = new STSClient({ endpoint, credentials, region, maxAttempts: 1 });
  t.after(() => sts.destroy());
  return sts;
}

async function iam({ endpoint, credentials }: Endpoint, parameters: Record<string, string>, nowMs = Date.now()) {
  const body = new URLSearchParams({ Version: '2010-05-08', ...parameters }).toString();
  const headers = { host: new URL(endpoint).host, 'content-type': 'application/x-www-form-urlencoded' };
  const request = { method: 'POST', path: '/', query: '', headers, body: Buffer.from(body) };
  const signed = signHeaders(request, credentials, { region: 'us-east-1', service: 'iam', nowMs });
  const response = await fetch(endpoint, { method: 'POST', headers: signed, body });
  return { status: response.status, text: await response.text() };
}

const trust = JSON.stringify({ Version: '2012-10-17', Statement: [] });
const createRole = (endpoint: Endpoint, RoleName: string, nowMs?: number) =>
  iam(endpoint, { Action: 'CreateRole', RoleName, AssumeRolePolicyDocument: trust }, nowMs);

test('the first start makes the admin user, and GetCallerIdentity knows it', async (t) => {
  const endpoint = await startEndpoint(t);
  const identity = await stsOf(t, endpoint).send(new GetCallerIdentityCommand({}));
  assert.equal(identity.Account, '123456789012');
  assert.equal(identity.Arn, 'arn:aws:iam::123456789012:user/admin');
  assert.match(identity.UserId!, /^AIDA[A-Z2-7]{17}$/);
});

test('a role that exists can be assumed and its session calls EKS until it expires', async (t) => {
  const clock = virtualClock(Date.now());
  const endpoint = await startEndpoint(t, { clock });
  assert.equal((await createRole(endpoint, 'deployer')).status, 200);
  const roleArn = 'arn:aws:iam::123456789012:role/deployer';
  const sts = stsOf(t, endpoint);
  const assumed = await sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'ci', DurationSeconds: 900 }));
  assert.equal(assumed.AssumedRoleUser!.Arn, 'arn:aws:sts::123456789012:assumed-role/deployer/ci');
  assert.equal(assumed.Credentials!.Expiration!.getTime(), Math.floor((clock.now() + 900_000) / 1000) * 1000);
  const { AccessKeyId, SecretAccessKey, SessionToken } = assumed.Credentials!;
  const session = { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! };
  const asRole = { ...endpoint, credentials: session };
  assert.match((await stsOf(t, asRole).send(new GetCallerIdentityCommand({}))).Arn!, /assumed-role\/deployer\/ci$/);
  const eks = new EKSClient({ endpoint: endpoint.endpoint, credentials: session, region: 'us-east-1', maxAttempts: 1 });
  t.after(() => eks.destroy());
  assert.deepEqual((await eks.send(new ListClustersCommand({}))).clusters, []);

  await clock.advance(901_000);
  eks.config.systemClockOffset = 901_000;
  await assert.rejects(eks.send(new ListClustersCommand({})), { name: 'ExpiredTokenException' });
});

test('a session token that was tampered with is refused', async (t) => {
  const endpoint = await startEndpoint(t);
  await createRole(endpoint, 'deployer');
  const input = { RoleArn: 'arn:aws:iam::123456789012:role/deployer', RoleSessionName: 'ci' };
  const { Credentials } = await stsOf(t, endpoint).send(new AssumeRoleCommand(input));
  const issued = Credentials!.SessionToken!;
  const sessionToken = `${issued.slice(0, 40)}${issued[40] === 'A' ? 'B' : 'A'}${issued.slice(41)}`;
  const credentials = { accessKeyId: Credentials!.AccessKeyId!, secretAccessKey: Credentials!.SecretAccessKey!, sessionToken };
  await assert.rejects(stsOf(t, { ...endpoint, credentials }).send(new GetCallerIdentityCommand({})), { name: 'InvalidClientTokenId' });
});

test('a role that was never made cannot be assumed', async (t) => {
  const endpoint = await startEndpoint(t);
  const input = { RoleArn: 'arn:aws:iam::123456789012:role/none', RoleSessionName: 'ci' };
  await assert.rejects(stsOf(t, endpoint).send(new AssumeRoleCommand(input)), {
    name: 'AccessDenied',
    message:
      'User: arn:aws:iam::123456789012:user/admin is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/none',
  });
});

test('roles are made, read, listed and deleted', async (t) => {
  const endpoint = await startEndpoint(t);
  await createRole(endpoint, 'b');
  await createRole(endpoint, 'a');
  assert.match((await createRole(endpoint, 'a')).text, /<Code>EntityAlreadyExists<\/Code><Message>Role with name a already exists\.</);
  assert.match((await iam(endpoint, { Action: 'GetRole', RoleName: 'a' })).text, /<Arn>arn:aws:iam::123456789012:role\/a<\/Arn>/);
  const listed = (await iam(endpoint, { Action: 'ListRoles' })).text;
  assert.deepEqual(
    [...listed.matchAll(/<RoleName>(\w+)</g)].map((match) => match[1]),
    ['a', 'b'],
  ); // prettier-ignore
  assert.equal((await iam(endpoint, { Action: 'DeleteRole', RoleName: 'a' })).status, 200);
  const gone = await iam(endpoint, { Action: 'GetRole', RoleName: 'a' });
  assert.equal(gone.status, 404);
  assert.match(gone.text, /<Code>NoSuchEntity<\/Code><Message>The role with name a cannot be found\.</);
});

test('actions to come are refused by name', async (t) => {
  const endpoint = await startEndpoint(t);
  await assert.rejects(stsOf(t, endpoint).send(new GetSessionTokenCommand({})), {
    name: 'InvalidAction',
    message: /sts:GetSessionToken is not there yet in keks$/,
  });
  assert.match(
    (await iam(endpoint, { Action: 'AttachRolePolicy' })).text,
    /<Code>InvalidAction<\/Code>.*iam:AttachRolePolicy is not there yet/,
  );
});
