// EKS through AWS' own SDK on a real socket.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import {
  CreateClusterCommand,
  CreateAddonCommand,
  CreateNodegroupCommand,
  DeleteClusterCommand,
  DeleteNodegroupCommand,
  DescribeClusterCommand,
  DescribeNodegroupCommand,
  DescribeUpdateCommand,
  EKSClient,
  ListAccessPoliciesCommand,
  ListClustersCommand,
  ListNodegroupsCommand,
  ListTagsForResourceCommand,
  ListUpdatesCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateNodegroupConfigCommand,
  waitUntilClusterActive,
  waitUntilClusterDeleted,
} from '@aws-sdk/client-eks';
import type { Endpoint } from '#root/test/support/eks-endpoint.ts';
import { startEndpoint } from '#root/test/support/eks-endpoint.ts';

function client(t: TestContext, { endpoint, credentials, region }: Endpoint): EKSClient {
  const eks = new EKSClient({ endpoint, credentials, region, maxAttempts: 1 });
  t.after(() => eks.destroy());
  return eks;
}

const roleArn = 'arn:aws:iam::123456789012:role/eks';
const resourcesVpcConfig = { subnetIds: ['subnet-a', 'subnet-b'] };
const clusterInput = (name: string) => ({ name, roleArn, resourcesVpcConfig });
const groupInput = (nodegroupName: string, more = {}) => ({
  clusterName: 'one',
  nodegroupName,
  nodeRole: 'arn:aws:iam::123456789012:role/node',
  subnets: ['subnet-a', 'subnet-b'],
  ...more,
});

async function started(t: TestContext) {
  const endpoint = await startEndpoint(t);
  const eks = client(t, endpoint);
  await eks.send(new CreateClusterCommand(clusterInput('one')));
  return { endpoint, eks };
}

const refusal = (name: string, message: string | RegExp) => (error: Error) => {
  assert.equal(error.name, name);
  if (typeof message === 'string') assert.equal(error.message, message);
  else assert.match(error.message, message);
  return true;
};

test('a cluster is CREATING in the answer to CreateCluster and ACTIVE in the first Describe', async (t) => {
  const endpoint = await startEndpoint(t);
  const eks = client(t, endpoint);
  const { cluster } = await eks.send(new CreateClusterCommand(clusterInput('one')));
  assert.equal(cluster!.status, 'CREATING');
  assert.equal(cluster!.endpoint, undefined);
  const waited = await waitUntilClusterActive({ client: eks, maxWaitTime: 2, minDelay: 1, maxDelay: 1 }, { name: 'one' });
  assert.equal(waited.state, 'SUCCESS');
  const described = (await eks.send(new DescribeClusterCommand({ name: 'one' }))).cluster!;
  assert.equal(described.arn, 'arn:aws:eks:us-east-1:123456789012:cluster/one');
  assert.equal(described.version, '1.36');
  assert.equal(described.accessConfig!.authenticationMode, 'CONFIG_MAP');
  assert.equal(described.certificateAuthority!.data, 'Q0E=');
  assert.match(described.endpoint!, /^https:\/\/127\.0\.0\.1:\d+$/);
  assert.ok(Math.abs(described.createdAt!.getTime() - Date.now()) < 60_000);
  assert.deepEqual((await eks.send(new ListClustersCommand({}))).clusters, ['one']);
});

test('repeating a CreateCluster with its token answers the same cluster, another one of the name is refused', async (t) => {
  const { eks } = await started(t);
  const input = { ...clusterInput('two'), clientRequestToken: 'once' };
  const first = await eks.send(new CreateClusterCommand(input));
  const again = await eks.send(new CreateClusterCommand(input));
  assert.equal(again.cluster!.createdAt!.getTime(), first.cluster!.createdAt!.getTime());
  await assert.rejects(eks.send(new CreateClusterCommand(clusterInput('two'))), (error: Error & { clusterName?: string }) => {
    assert.equal(error.clusterName, 'two');
    return refusal('ResourceInUseException', 'Cluster already exists with name: two')(error);
  });
});

test('CreateCluster refuses what is malformed or not there yet, and creates nothing', async (t) => {
  const eks = client(t, await startEndpoint(t));
  const create = (more: object) => eks.send(new CreateClusterCommand({ ...clusterInput('bad'), ...more }));
  const invalid = (message: string | RegExp) => refusal('InvalidParameterException', message);
  await assert.rejects(
    create({ name: 'no spaces' }),
    invalid(/^The name parameter contains invalid characters\. It should conform to the regular expression/),
  );
  await assert.rejects(create({ name: 'x'.repeat(101) }), invalid(/Member must have length less than or equal to 100$/));
  await assert.rejects(create({ version: '1.20' }), invalid('unsupported Kubernetes version 1.20'));
  await assert.rejects(
    create({ roleArn: undefined }),
    invalid("1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null"),
  );
  await assert.rejects(
    create({ resourcesVpcConfig: { subnetIds: ['subnet-a'] } }),
    invalid('Subnets specified must be in at least two different AZs'),
  );
  await assert.rejects(create({ kubernetesNetworkConfig: { serviceIpv4Cidr: '10.0.0.0/16' } }), invalid(/overlaps/));
  await assert.rejects(
    create({ accessConfig: { authenticationMode: 'OIDC' } }),
    invalid(/Member must satisfy enum value set: \[API, API_AND_CONFIG_MAP, CONFIG_MAP\]$/),
  );
  await assert.rejects(create({ computeConfig: { enabled: true } }), invalid('computeConfig is not there yet in keks'));
  await assert.rejects(create({ tags: { 'aws:x': 'y' } }), invalid(/aws: prefixed/));
  assert.deepEqual((await eks.send(new ListClustersCommand({}))).clusters, []);
});

test('a cluster whose control plane does not start is FAILED and says why', async (t) => {
  const endpoint = await startEndpoint(t);
  const eks = client(t, endpoint);
  endpoint.host.failure = new Error('no room');
  await eks.send(new CreateClusterCommand(clusterInput('one')));
  const { cluster } = await eks.send(new DescribeClusterCommand({ name: 'one' }));
  assert.equal(cluster!.status, 'FAILED');
  assert.deepEqual(
    cluster!.health!.issues!.map((issue) => issue.message),
    ['no room'],
  );
});

test('deleting shows DELETING at once, then the cluster is gone for waiters', async (t) => {
  const { endpoint, eks } = await started(t);
  const { cluster } = await eks.send(new DeleteClusterCommand({ name: 'one' }));
  assert.equal(cluster!.status, 'DELETING');
  const waited = await waitUntilClusterDeleted({ client: eks, maxWaitTime: 2, minDelay: 1, maxDelay: 1 }, { name: 'one' });
  assert.equal(waited.state, 'SUCCESS');
  assert.equal(endpoint.host.clusters.size, 0);
  await assert.rejects(
    eks.send(new DeleteClusterCommand({ name: 'one' })),
    refusal('ResourceNotFoundException', 'No cluster found for name: one.'),
  );
});

test('a cluster with node groups, or protected, is not deleted', async (t) => {
  const { eks } = await started(t);
  await eks.send(new CreateNodegroupCommand(groupInput('group')));
  await assert.rejects(
    eks.send(new DeleteClusterCommand({ name: 'one' })),
    refusal('ResourceInUseException', 'Cluster has nodegroups attached'),
  );
  await eks.send(new CreateClusterCommand({ ...clusterInput('kept'), deletionProtection: true }));
  await assert.rejects(eks.send(new DeleteClusterCommand({ name: 'kept' })), refusal('InvalidRequestException', /deletion protection/));
});

test('lists come in pages', async (t) => {
  const { eks } = await started(t);
  for (const name of ['three', 'two']) await eks.send(new CreateClusterCommand(clusterInput(name)));
  const first = await eks.send(new ListClustersCommand({ maxResults: 2 }));
  assert.deepEqual(first.clusters, ['one', 'three']);
  const second = await eks.send(new ListClustersCommand({ maxResults: 2, nextToken: first.nextToken! }));
  assert.deepEqual(second.clusters, ['two']);
  assert.equal(second.nextToken, undefined);
  await assert.rejects(
    eks.send(new ListClustersCommand({ maxResults: 101 })),
    refusal('InvalidParameterException', /'maxResults'.*less than or equal to 100/),
  );
  await assert.rejects(
    eks.send(new ListClustersCommand({ nextToken: 'mine' })),
    refusal('InvalidParameterException', 'Invalid nextToken value'),
  );
});

test('a node group gets its nodes, with the names, labels, taints and capacity of its instance type', async (t) => {
  const { endpoint, eks } = await started(t);
  const { nodegroup } = await eks.send(
    new CreateNodegroupCommand(
      groupInput('group', {
        instanceTypes: ['m5.large'],
        labels: { team: 'a' },
        taints: [{ key: 'k', value: 'v', effect: 'NO_SCHEDULE' }],
      }),
    ),
  );
  assert.equal(nodegroup!.status, 'CREATING');
  assert.equal((await eks.send(new DescribeNodegroupCommand({ clusterName: 'one', nodegroupName: 'group' }))).nodegroup!.status, 'ACTIVE');
  assert.deepEqual((await eks.send(new ListNodegroupsCommand({ clusterName: 'one' }))).nodegroups, ['group']);
  const nodes = [...endpoint.host.clusters.get('one')!.nodes.values()];
  assert.deepEqual(
    nodes.map((node) => node.name),
    ['ip-10-0-1-10.ec2.internal', 'ip-10-0-21-10.ec2.internal'],
  ); // prettier-ignore
  assert.deepEqual(
    nodes.map((node) => node.zone),
    ['us-east-1a', 'us-east-1b'],
  );
  const [node] = nodes;
  assert.equal(node!.providerId, `aws:///us-east-1a/${node!.instanceId}`);
  assert.deepEqual(node!.labels, {
    team: 'a',
    'eks.amazonaws.com/capacityType': 'ON_DEMAND',
    'eks.amazonaws.com/nodegroup': 'group',
    'node.kubernetes.io/instance-type': 'm5.large',
    'topology.kubernetes.io/region': 'us-east-1',
    'topology.kubernetes.io/zone': 'us-east-1a',
  });
  assert.deepEqual(node!.taints, [{ key: 'k', value: 'v', effect: 'NoSchedule' }]);
  assert.equal(node!.capacity.pods, 29);
  assert.equal(node!.capacity.cpuMillis, 2000);
});

test('scaling in ends the newest nodes and scaling out keeps those that stay', async (t) => {
  const { endpoint, eks } = await started(t);
  const nodes = () => [...endpoint.host.clusters.get('one')!.nodes.keys()];
  await eks.send(new CreateNodegroupCommand(groupInput('group', { scalingConfig: { minSize: 0, maxSize: 5, desiredSize: 3 } })));
  const scale = async (desiredSize: number) => {
    const input = { clusterName: 'one', nodegroupName: 'group', scalingConfig: { desiredSize } };
    const { update } = await eks.send(new UpdateNodegroupConfigCommand(input));
    assert.deepEqual(update!.params, [{ type: 'DesiredSize', value: String(desiredSize) }]);
    const described = await eks.send(new DescribeUpdateCommand({ name: 'one', updateId: update!.id!, nodegroupName: 'group' }));
    assert.equal(described.update!.status, 'Successful');
  };
  await scale(1);
  assert.deepEqual(nodes(), ['ip-10-0-1-10.ec2.internal']);
  await scale(2);
  assert.deepEqual(nodes(), ['ip-10-0-1-10.ec2.internal', 'ip-10-0-21-10.ec2.internal']);
  const listed = await eks.send(new ListUpdatesCommand({ name: 'one', nodegroupName: 'group' }));
  assert.equal(listed.updateIds!.length, 2);
  await assert.rejects(scale(6), refusal('InvalidParameterException', "desired capacity 6 can't be greater than max size 5"));
});

test('labels and taints of an update reach the nodes that are there', async (t) => {
  const { endpoint, eks } = await started(t);
  await eks.send(
    new CreateNodegroupCommand(groupInput('group', { labels: { old: '1' }, scalingConfig: { minSize: 0, maxSize: 1, desiredSize: 1 } })),
  );
  await eks.send(
    new UpdateNodegroupConfigCommand({
      clusterName: 'one',
      nodegroupName: 'group',
      labels: { addOrUpdateLabels: { fresh: '2' }, removeLabels: ['old'] },
      taints: { addOrUpdateTaints: [{ key: 'k', effect: 'NO_EXECUTE' }] },
    }),
  );
  const { nodegroup } = await eks.send(new DescribeNodegroupCommand({ clusterName: 'one', nodegroupName: 'group' }));
  assert.deepEqual(nodegroup!.labels, { fresh: '2' });
  assert.deepEqual(endpoint.host.clusters.get('one')!.changes, [
    { setLabels: { fresh: '2' }, removeLabels: ['old'], setTaints: [{ key: 'k', effect: 'NoExecute' }], removeTaints: [] },
  ]);
});

test('node groups are refused in AWS words', async (t) => {
  const { eks } = await started(t);
  const create = (more: object) => eks.send(new CreateNodegroupCommand(groupInput('bad', more)));
  const invalid = (message: string | RegExp) => refusal('InvalidParameterException', message);
  await assert.rejects(create({ instanceTypes: ['t9.huge'] }), invalid('The following supplied instance types do not exist: [t9.huge]'));
  await assert.rejects(
    create({ scalingConfig: { minSize: 3, maxSize: 4, desiredSize: 2 } }),
    invalid("Minimum capacity 3 can't be greater than desired size 2"),
  );
  await assert.rejects(create({ labels: { 'kubernetes.io/x': 'y' } }), refusal('InvalidRequestException', /reserved prefixes/));
  await assert.rejects(
    create({ amiType: 'WINDOWS_CORE_2022_x86_64' }),
    invalid('amiType WINDOWS_CORE_2022_x86_64 is not there yet in keks'),
  );
  await assert.rejects(create({ clusterName: 'none' }), refusal('ResourceNotFoundException', 'No cluster found for name: none.'));
  const noGroup = refusal('ResourceNotFoundException', 'No node group found for name: bad.');
  await assert.rejects(eks.send(new DescribeNodegroupCommand({ clusterName: 'one', nodegroupName: 'bad' })), noGroup);
  await assert.rejects(eks.send(new DeleteNodegroupCommand({ clusterName: 'one', nodegroupName: 'bad' })), noGroup);
});

test('a deleted node group takes its nodes with it and its name is free again', async (t) => {
  const { endpoint, eks } = await started(t);
  await eks.send(new CreateNodegroupCommand(groupInput('group')));
  const deleted = await eks.send(new DeleteNodegroupCommand({ clusterName: 'one', nodegroupName: 'group' }));
  assert.equal(deleted.nodegroup!.status, 'DELETING');
  await eks.send(new DeleteClusterCommand({ name: 'one' }));
  await endpoint.eks.clusters.idle();
  assert.equal(endpoint.host.clusters.size, 0);
});

test('tags of clusters and node groups are added, listed and taken off', async (t) => {
  const { eks } = await started(t);
  const created = await eks.send(new CreateNodegroupCommand(groupInput('group', { tags: { a: '1' } })));
  for (const resourceArn of ['arn:aws:eks:us-east-1:123456789012:cluster/one', created.nodegroup!.nodegroupArn!]) {
    await eks.send(new TagResourceCommand({ resourceArn, tags: { b: '2', c: '3' } }));
    await eks.send(new UntagResourceCommand({ resourceArn, tagKeys: ['c', 'a'] }));
    assert.deepEqual((await eks.send(new ListTagsForResourceCommand({ resourceArn }))).tags, { b: '2' });
  }
  const missing = eks.send(new ListTagsForResourceCommand({ resourceArn: 'arn:aws:eks:us-east-1:123456789012:cluster/none' }));
  await assert.rejects(missing, refusal('NotFoundException', /^No resource found for ARN/));
  await assert.rejects(
    eks.send(new ListTagsForResourceCommand({ resourceArn: 'what' })),
    refusal('BadRequestException', 'Invalid ARN: what'),
  );
});

test('operations to come answer a modelled error that says so', async (t) => {
  const { eks } = await started(t);
  const addon = eks.send(new CreateAddonCommand({ clusterName: 'one', addonName: 'vpc-cni' }));
  await assert.rejects(addon, refusal('InvalidRequestException', 'CreateAddon is not there yet in keks'));
  await assert.rejects(
    eks.send(new ListAccessPoliciesCommand({})),
    refusal('ServerException', 'ListAccessPolicies is not there yet in keks'),
  );
});

test('after a start on the same folder every cluster and node is there again, and work cut off goes on', async (t) => {
  const { endpoint, eks } = await started(t);
  await eks.send(new CreateNodegroupCommand(groupInput('group')));
  await eks.send(new DescribeNodegroupCommand({ clusterName: 'one', nodegroupName: 'group' }));
  const before = (await eks.send(new DescribeClusterCommand({ name: 'one' }))).cluster!;
  // A second cluster whose making never ends here: the process dies in the midst of it.
  endpoint.host.hold();
  await eks.send(new CreateClusterCommand(clusterInput('half')));

  const again = await startEndpoint(t, { home: endpoint.home });
  await again.eks.resume();
  const eksAgain = client(t, again);
  const after = (await eksAgain.send(new DescribeClusterCommand({ name: 'one' }))).cluster!;
  assert.equal(after.endpoint, before.endpoint);
  assert.equal(again.credentials.accessKeyId, endpoint.credentials.accessKeyId);
  assert.deepEqual([...again.host.clusters.get('one')!.nodes.keys()], [...endpoint.host.clusters.get('one')!.nodes.keys()]);
  assert.equal((await eksAgain.send(new DescribeClusterCommand({ name: 'half' }))).cluster!.status, 'ACTIVE');
});
