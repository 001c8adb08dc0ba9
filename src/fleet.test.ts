// The daemon in this process: AWS' SDK in front, real API servers behind, simulated nodes.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import {
  CreateClusterCommand,
  CreateNodegroupCommand,
  DeleteClusterCommand,
  DescribeClusterCommand,
  DescribeNodegroupCommand,
  EKSClient,
  UpdateNodegroupConfigCommand,
} from '@aws-sdk/client-eks';
import { issueIamToken } from '#aws/iam-token.ts';
import { systemClock } from '#lib/clock.ts';
import { silentLog } from '#lib/log.ts';
import { systemRandom } from '#lib/random.ts';
import type { Fleet } from './fleet.ts';
import { HomeTakenError, startFleet } from './fleet.ts';
import type { Home } from './fleet/home.ts';
import { homeOf } from './fleet/home.ts';
import type { NodeProvider } from './fleet/node-provider.ts';
import { simulatedProvider } from './fleet/simulated-provider.ts';

async function newHome(t: TestContext): Promise<Home> {
  const directory = await mkdtemp(join(tmpdir(), 'keks-fleet-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return homeOf(directory);
}

function start(home: Home, provider?: NodeProvider) {
  const shared = { clock: systemClock, random: systemRandom, log: silentLog };
  const options = { ...shared, home, port: 0, region: 'us-east-1', version: '0', provider: provider ?? simulatedProvider(shared) };
  return startFleet({ ...options, onShutdown() {} });
}

async function credentialsOf(home: Home) {
  const profile = await readFile(home.awsCredentials, 'utf8');
  const [accessKeyId, secretAccessKey] = [...profile.matchAll(/ = (\S+)/g)].map((match) => match[1]!) as [string, string];
  return { accessKeyId, secretAccessKey };
}

async function clientOf(t: TestContext, home: Home, fleet: Fleet): Promise<EKSClient> {
  const credentials = await credentialsOf(home);
  const eks = new EKSClient({ endpoint: fleet.info.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  t.after(() => eks.destroy());
  return eks;
}

async function startedFleet(t: TestContext) {
  const home = await newHome(t);
  const fleet = await start(home);
  t.after(() => fleet.stop());
  return { home, fleet, eks: await clientOf(t, home, fleet), credentials: await credentialsOf(home) };
}

const clusterInput = (name: string) => ({
  name,
  roleArn: 'arn:aws:iam::123456789012:role/eks',
  resourcesVpcConfig: { subnetIds: ['subnet-a', 'subnet-b'] },
});

async function active(eks: EKSClient, name: string) {
  await eks.send(new CreateClusterCommand(clusterInput(name)));
  const { cluster } = await eks.send(new DescribeClusterCommand({ name }));
  assert.equal(cluster!.status, 'ACTIVE');
  return { endpoint: cluster!.endpoint!, ca: Buffer.from(cluster!.certificateAuthority!.data!, 'base64').toString() };
}

interface Asked {
  endpoint: string;
  ca: string;
  token: string;
  path: string;
}

function ask({ endpoint, ca, token, path }: Asked): Promise<{ status: number; body: { items: { metadata: { name: string } }[] } }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${endpoint}${path}`, { ca, agent: false, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text) as never }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

test("the creator's token opens its cluster and no other", async (t) => {
  const { eks, credentials } = await startedFleet(t);
  const a = await active(eks, 'a');
  const b = await active(eks, 'b');
  const { token } = issueIamToken('a', credentials, { region: 'us-east-1', nowMs: Date.now() });
  assert.equal((await ask({ ...a, token, path: '/api/v1/namespaces' })).status, 200);
  assert.equal((await ask({ ...b, token, path: '/api/v1/namespaces' })).status, 401);
  assert.notEqual(a.ca, b.ca);
});

test('a node group joins, shrinks and takes the Node objects with it', async (t) => {
  const { eks, credentials } = await startedFleet(t);
  const cluster = await active(eks, 'a');
  const { token } = issueIamToken('a', credentials, { region: 'us-east-1', nowMs: Date.now() });
  const nodeNames = async () => (await ask({ ...cluster, token, path: '/api/v1/nodes' })).body.items.map(({ metadata }) => metadata.name);
  const group = { clusterName: 'a', nodegroupName: 'g' };
  const subnets = ['subnet-a', 'subnet-b'];
  await eks.send(new CreateNodegroupCommand({ ...group, nodeRole: 'arn:aws:iam::123456789012:role/node', subnets }));
  assert.equal((await eks.send(new DescribeNodegroupCommand(group))).nodegroup!.status, 'ACTIVE');
  assert.deepEqual(await nodeNames(), ['ip-10-0-1-10.ec2.internal', 'ip-10-0-21-10.ec2.internal']);
  await eks.send(new UpdateNodegroupConfigCommand({ ...group, scalingConfig: { minSize: 0, desiredSize: 1 } }));
  assert.equal((await eks.send(new DescribeNodegroupCommand(group))).nodegroup!.status, 'ACTIVE');
  assert.deepEqual(await nodeNames(), ['ip-10-0-1-10.ec2.internal']);
});

test('work on a node group that a stop cuts off is taken up by the next start', async (t) => {
  const home = await newHome(t);
  const shared = { clock: systemClock, random: systemRandom, log: silentLog };
  const addNode = () => new Promise<void>(() => {});
  const first = await start(home, { ...simulatedProvider(shared), addNode });
  const eks = await clientOf(t, home, first);
  await active(eks, 'a');
  const group = { clusterName: 'a', nodegroupName: 'g' };
  const shape = { nodeRole: 'arn:aws:iam::123456789012:role/node', subnets: ['subnet-a'], scalingConfig: { desiredSize: 1 } };
  await eks.send(new CreateNodegroupCommand({ ...group, ...shape }));
  await first.stop();
  const second = await start(home);
  t.after(() => second.stop());
  const { nodegroup } = await (await clientOf(t, home, second)).send(new DescribeNodegroupCommand(group));
  assert.equal(nodegroup!.status, 'ACTIVE');
});

test('a deleted cluster gives its name, port and folder back', async (t) => {
  const { eks, home } = await startedFleet(t);
  const { endpoint, ca } = await active(eks, 'a');
  await eks.send(new DeleteClusterCommand({ name: 'a' }));
  await assert.rejects(eks.send(new DescribeClusterCommand({ name: 'a' })), { name: 'ResourceNotFoundException' });
  await assert.rejects(ask({ endpoint, ca, token: 'x', path: '/' }));
  await active(eks, 'a');
  assert.equal((await readdir(home.clustersState)).length, 1);
});

test('one home has one daemon', async (t) => {
  const { home, fleet } = await startedFleet(t);
  await assert.rejects(start(home), HomeTakenError);
  const answer = await fetch(`${fleet.info.endpoint}/-/healthz`);
  assert.equal(answer.status, 200);
});

test('the control interface wants its token', async (t) => {
  const { home, fleet } = await startedFleet(t);
  const status = (token: string) => fetch(`${fleet.info.endpoint}/-/status`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await status('guess')).status, 401);
  assert.equal((await fetch(`${fleet.info.endpoint}/-/shutdown`, { method: 'POST' })).status, 401);
  const answer = await status(await readFile(home.tokenFile, 'utf8'));
  assert.equal(((await answer.json()) as { pid: number }).pid, process.pid);
});

test('components tell their metrics and the audit log who did what', async (t) => {
  const { home, fleet, eks, credentials } = await startedFleet(t);
  const cluster = await active(eks, 'a');
  const { token } = issueIamToken('a', credentials, { region: 'us-east-1', nowMs: Date.now() });
  await ask({ ...cluster, token, path: '/api/v1/namespaces' });
  const authorization = `Bearer ${await readFile(home.tokenFile, 'utf8')}`;
  const metrics = (query: string) => fetch(`${fleet.info.endpoint}/-/metrics${query}`, { headers: { authorization } });
  assert.match(await (await metrics('')).text(), /^keks_clusters 1$/m);
  assert.match(await (await metrics('?cluster=a&component=apiserver')).text(), /^apiserver_request_total\{/m);
  assert.equal((await metrics('?cluster=none')).status, 404);
  await fleet.stop();
  const audit = await readFile(join(home.logs, 'a', 'audit.log'), 'utf8');
  assert.match(audit, /"requestURI":"\/api\/v1\/namespaces","verb":"list","user":\{"username":"arn:aws:iam::123456789012:user\/admin"/);
});

test('a daemon that starts on a taken port lets go of its home', async (t) => {
  const { fleet } = await startedFleet(t);
  const home = await newHome(t);
  const shared = { clock: systemClock, random: systemRandom, log: silentLog };
  const options = { ...shared, home, region: 'us-east-1', version: '0', provider: simulatedProvider(shared), onShutdown() {} };
  await assert.rejects(startFleet({ ...options, port: fleet.info.port }), { name: 'PortTakenError' });
  const second = await startFleet({ ...options, port: 0 });
  await second.stop();
});
