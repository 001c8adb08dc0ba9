// A simulated node against the real API server: whole pod lives.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { configmaps, leases, nodes, pods } from '#api/generated/resources.ts';
import { createKubelet } from './kubelet.ts';
import type { TestNode } from './kubelet.fixture.ts';
import { addressPool, container, startTestNode } from './kubelet.fixture.ts';
import { createSimulatedRuntime } from './runtime/simulated/simulated-runtime.ts';
import { seededRandom } from '#lib/random.ts';
import { virtualClock } from '#lib/virtual-clock.ts';

const started: TestNode[] = [];
async function node(...args: Parameters<typeof startTestNode>): Promise<TestNode> {
  const made = await startTestNode(...args);
  started.push(made);
  return made;
}
after(() => Promise.all(started.map((made) => made.stop())));

test('a started kubelet registers a ready node with allocatable below capacity and a lease', async () => {
  const { client } = await node();
  const { status, metadata } = await client.get(nodes, { name: 'node-1' });
  assert.deepEqual(status?.allocatable, { cpu: '1930m', memory: '3522Mi', pods: '10', 'ephemeral-storage': '20Gi' });
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  assert.equal(`${ready?.status} ${ready?.reason} ${ready?.message}`, 'True KubeletReady kubelet is posting ready status');
  assert.equal(metadata.labels?.['kubernetes.io/hostname'], 'node-1');
  const lease = await client.get(leases, { namespace: 'kube-node-lease', name: 'node-1' });
  assert.equal(lease.spec?.holderIdentity, 'node-1');
  assert.equal(lease.metadata.ownerReferences?.[0]?.uid, metadata.uid);
});

test('a node tells that its kubelet starts and that it is ready', async () => {
  const { clock, events } = await node();
  await clock.advance(1000);
  assert.deepEqual(await events('node-1'), ['Starting: Starting kubelet.', 'NodeReady: Node node-1 status is now: NodeReady']);
});

test('an idle node only renews its lease', async () => {
  const { client, clock } = await node();
  const before = await client.get(nodes, { name: 'node-1' });
  const lease = await client.get(leases, { namespace: 'kube-node-lease', name: 'node-1' });
  await clock.advance(60_000);
  assert.equal((await client.get(nodes, { name: 'node-1' })).metadata.resourceVersion, before.metadata.resourceVersion);
  const renewed = await client.get(leases, { namespace: 'kube-node-lease', name: 'node-1' });
  assert.ok(Date.parse(renewed.spec!.renewTime!) - Date.parse(lease.spec!.renewTime!) >= 50_000);
  await clock.advance(300_000);
  assert.notEqual((await client.get(nodes, { name: 'node-1' })).metadata.resourceVersion, before.metadata.resourceVersion);
});

test('a pod bound to the node runs and is ready after one status write', async () => {
  const { create, pod, clock, events, client } = await node();
  const types: string[] = [];
  const watch = client.watch(pods, { namespace: 'default' }, (batch) => types.push(...batch.map(({ type }) => type)));
  await create('web', {});
  await clock.advance(50);
  const { status } = (await pod('web'))!;
  assert.equal(status?.phase, 'Running');
  assert.deepEqual(
    status?.conditions?.map(({ type, status: value }) => `${type}=${value}`),
    ['PodReadyToStartContainers=True', 'Initialized=True', 'Ready=True', 'ContainersReady=True', 'PodScheduled=True'],
  );
  assert.equal(status?.podIP, '10.0.1.1');
  assert.equal(status?.hostIP, '10.0.0.10');
  assert.equal(status?.qosClass, 'BestEffort');
  const [main] = status!.containerStatuses!;
  assert.equal(main?.ready && main.started, true);
  assert.match(main!.containerID!, /^simulated:\/\/[0-9a-f]{64}$/);
  assert.deepEqual(await events('web'), [
    'Pulling: Pulling image "nginx:1.27"',
    `Pulled: ${(await events('web'))[1]!.slice(8)}`,
    'Created: Container created',
    'Started: Container started',
  ]);
  assert.match(
    (await events('web'))[1]!,
    /Successfully pulled image "nginx:1.27" in 1ms \(1ms including waiting\)\. Image size: \d+ bytes\./,
  );
  assert.deepEqual(types, ['ADDED', 'MODIFIED']);
  watch.close();
});

test('a deleted pod ends with a final phase and leaves the API server and the runtime', async () => {
  const { create, pod, clock, client, runtime, events } = await node();
  const phases: (string | undefined)[] = [];
  await create('web', {}, { 'simulation.keks.dev/stop-delay': '3s' });
  await clock.advance(50);
  const watch = client.watch(pods, { namespace: 'default' }, (batch) => {
    for (const event of batch) if (event.type !== 'BOOKMARK') phases.push(event.object.status?.phase);
  });
  await client.delete(pods, { namespace: 'default', name: 'web' });
  await clock.advance(2000);
  assert.notEqual((await pod('web'))?.metadata.deletionTimestamp, undefined);
  await clock.advance(2000);
  assert.equal(await pod('web'), undefined);
  assert.equal(phases.includes('Succeeded'), true);
  assert.deepEqual(await runtime.pods(), []);
  assert.ok((await events('web')).includes('Killing: Stopping container main'));
  watch.close();
});

test('an image that does not exist ends in ImagePullBackOff and is tried again', async () => {
  const { create, pod, clock, events } = await node();
  await create('bad', { containers: [container('main', { image: 'nginx:does-not-exist' })] });
  await clock.advance(100);
  const waiting = async () => (await pod('bad'))?.status?.containerStatuses?.[0]?.state?.waiting;
  assert.equal((await waiting())?.reason, 'ErrImagePull');
  await clock.advance(2000);
  assert.equal((await waiting())?.reason, 'ImagePullBackOff');
  assert.match(
    (await waiting())!.message!,
    /^Back-off pulling image "nginx:does-not-exist": ErrImagePull: failed to pull and unpack image/,
  );
  assert.equal((await pod('bad'))?.status?.phase, 'Pending');
  const told = await events('bad');
  assert.ok(told.includes('Failed: Error: ErrImagePull'));
  assert.ok(told.includes('BackOff: Back-off pulling image "nginx:does-not-exist"'));
  await clock.advance(60_000);
  assert.equal((await waiting())?.reason, 'ImagePullBackOff');
});

test('a crashing container backs off ever longer and its restarts are counted', async () => {
  const { create, pod, clock, events } = await node();
  await create('crash', { containers: [container('main', { command: ['sh', '-c', 'sleep 1; exit 3'] })] });
  await clock.advance(5000);
  const status = async () => (await pod('crash'))!.status!.containerStatuses![0]!;
  let main = await status();
  assert.equal(main.restartCount, 1);
  assert.equal(main.state?.waiting?.reason, 'CrashLoopBackOff');
  assert.match(main.state!.waiting!.message!, /^back-off 10s restarting failed container=main pod=crash_default\(.*\)$/);
  assert.equal(main.lastState?.terminated?.exitCode, 3);
  assert.equal((await pod('crash'))!.status!.phase, 'Running');
  await clock.advance(40_000);
  main = await status();
  assert.equal(main.restartCount, 3);
  assert.match(main.state!.waiting!.message!, /^back-off 40s/);
  assert.ok(
    (await events('crash')).some((event) => event.startsWith('BackOff: Back-off restarting failed container main in pod crash_default(')),
  );
});

test('a pod that never restarts succeeds or fails by its exit code and keeps its last status', async () => {
  const { create, pod, clock } = await node();
  await create('good', { restartPolicy: 'Never', containers: [container('main', { command: ['sleep', '2'] })] });
  await create('ill', { restartPolicy: 'Never', containers: [container('main', { command: ['false'] })] });
  await clock.advance(5000);
  assert.equal((await pod('good'))!.status!.phase, 'Succeeded');
  const [ill] = (await pod('ill'))!.status!.containerStatuses!;
  assert.equal((await pod('ill'))!.status!.phase, 'Failed');
  assert.equal(ill!.state?.terminated?.exitCode, 1);
  assert.equal(ill!.state?.terminated?.reason, 'Error');
  assert.equal((await pod('good'))!.status!.conditions!.find(({ type }) => type === 'Ready')!.reason, 'PodCompleted');
});

test('init containers run one after the other and a sidecar stays', async () => {
  const { create, pod, clock } = await node();
  await create('layered', {
    initContainers: [container('first', { command: ['sleep', '5'] }), container('side', { restartPolicy: 'Always' }), container('second')],
  });
  await clock.advance(1000);
  let status = (await pod('layered'))!.status!;
  assert.equal(status.phase, 'Pending');
  assert.equal(status.containerStatuses![0]!.state!.waiting!.reason, 'PodInitializing');
  assert.equal(
    status.conditions!.find(({ type }) => type === 'Initialized')!.message,
    'containers with incomplete status: [first side second]',
  );
  await clock.advance(10_000);
  status = (await pod('layered'))!.status!;
  assert.equal(status.phase, 'Running');
  assert.deepEqual(
    status.initContainerStatuses!.map(({ name, state }) => `${name} ${Object.keys(state!)[0]}`),
    ['first terminated', 'side running', 'second terminated'],
  );
  assert.equal(status.conditions!.find(({ type }) => type === 'Ready')!.status, 'True');
});

test('a readiness probe decides readiness and a failing liveness probe restarts the container', async () => {
  const { create, pod, clock, events } = await node();
  const probe = { httpGet: { port: 80 }, periodSeconds: 1, failureThreshold: 2 };
  const annotations = { 'simulation.keks.dev/ready-delay': '5s', 'simulation.keks.dev/liveness-fails-after': '20s' };
  await create('probed', { containers: [container('main', { readinessProbe: probe, livenessProbe: probe })] }, annotations);
  await clock.advance(2000);
  const status = async () => (await pod('probed'))!.status!;
  assert.equal((await status()).conditions!.find(({ type }) => type === 'Ready')!.message, 'containers with unready status: [main]');
  await clock.advance(5000);
  assert.equal((await status()).conditions!.find(({ type }) => type === 'Ready')!.status, 'True');
  await clock.advance(18_000);
  assert.equal((await status()).containerStatuses![0]!.restartCount, 1);
  assert.ok((await events('probed')).includes('Killing: Container main failed liveness probe, will be restarted'));
});

test('a missing config map holds the container back until it exists', async () => {
  const { create, pod, clock, client, events } = await node();
  const env = [{ name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level' } } }];
  await create('configured', { containers: [container('main', { env })] });
  await clock.advance(100);
  const waiting = (await pod('configured'))!.status!.containerStatuses![0]!.state!.waiting;
  assert.deepEqual(waiting, { reason: 'CreateContainerConfigError', message: 'configmap "settings" not found' });
  assert.ok((await events('configured')).includes('Failed: Error: configmap "settings" not found'));
  await client.create(configmaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { level: 'info' },
  });
  await clock.advance(15_000);
  assert.equal((await pod('configured'))!.status!.phase, 'Running');
});

test('a pod beyond the capacity of its node is rejected as upstream words it', async () => {
  const { create, pod, clock } = await node();
  await create('large', { containers: [container('main', { resources: { requests: { cpu: '3' } } })] });
  await clock.advance(100);
  const { status } = (await pod('large'))!;
  assert.equal(status!.phase, 'Failed');
  assert.equal(status!.reason, 'OutOfcpu');
  assert.equal(status!.message, "Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 0, capacity: 1930");
});

test('a pod over its active deadline fails with DeadlineExceeded', async () => {
  const { create, pod, clock } = await node();
  await create('timed', { activeDeadlineSeconds: 30 });
  await clock.advance(20_000);
  assert.equal((await pod('timed'))!.status!.phase, 'Running');
  await clock.advance(15_000);
  const { status } = (await pod('timed'))!;
  assert.equal(
    `${status!.phase} ${status!.reason}: ${status!.message}`,
    'Failed DeadlineExceeded: Pod was active on the node longer than the specified deadline',
  );
});

test('a restarted kubelet adopts running containers and ends those whose pods are gone', async () => {
  const { create, pod, clock, kubelet, options, client, runtime } = await node();
  await create('stays', {});
  await create('goes', {});
  await clock.advance(100);
  const before = (await pod('stays'))!;
  await kubelet.stop();
  await client.delete(pods, { namespace: 'default', name: 'goes' }, { gracePeriodSeconds: 0 });
  const second = await createKubelet(options);
  await second.start();
  await clock.advance(5000);
  const adopted = (await pod('stays'))!;
  assert.equal(adopted.status!.containerStatuses![0]!.containerID, before.status!.containerStatuses![0]!.containerID);
  assert.equal(adopted.metadata.resourceVersion, before.metadata.resourceVersion);
  assert.deepEqual(
    (await runtime.pods()).map(({ sandbox }) => sandbox.pod.name),
    ['stays'],
  );
  await second.stop();
});

test('logs and exec of a simulated container say that it is simulated', async () => {
  const { create, clock, kubelet } = await node();
  await create('web', {});
  await clock.advance(100);
  const target = { namespace: 'default', pod: 'web', container: 'main' };
  const log = await kubelet.connection.logs(target, {}, new AbortController().signal);
  let text = '';
  for await (const chunk of log) text += String(chunk);
  assert.equal(text, 'simulated: no process runs in this container\n');
  const code = await kubelet.connection.exec(target, { command: ['ls'], tty: false }, { signal: new AbortController().signal });
  assert.equal(code, 126);
  const summary = JSON.parse((await kubelet.connection.get('/stats/summary')).body) as { pods: { podRef: { name: string } }[] };
  assert.deepEqual(
    summary.pods.map(({ podRef }) => podRef.name),
    ['web'],
  );
});

test('a simulated node whose process died takes its pods up as they stood', async () => {
  const { create, pod, clock, kubelet, options } = await node();
  await create('web', { initContainers: [container('one')] }, { 'simulation.keks.dev/exit-after': '60s' });
  await clock.advance(20_000);
  const before = (await pod('web'))!;
  await kubelet.stop();
  const runtime = createSimulatedRuntime({ clock, random: options.random, addresses: addressPool('10.0.1') });
  const second = await createKubelet({ ...options, runtime });
  await second.start();
  await clock.advance(20_000);
  const after_ = (await pod('web'))!;
  assert.equal(after_.metadata.resourceVersion, before.metadata.resourceVersion);
  assert.equal((await runtime.pods())[0]!.sandbox.ips[0], before.status!.podIP);
  await clock.advance(30_000);
  assert.equal((await pod('web'))!.status!.containerStatuses![0]!.restartCount, 1);
  await second.stop();
});

test('a sandbox that dies under its pod is replaced with a new address', async () => {
  const { create, pod, clock, runtime, events } = await node();
  await create('web', {});
  await clock.advance(100);
  const { sandbox } = (await runtime.pods())[0]!;
  await runtime.stopSandbox(sandbox.id);
  await create('taker', {});
  await clock.advance(15_000);
  const { status } = (await pod('web'))!;
  assert.equal(status!.phase, 'Running');
  assert.deepEqual(status!.podIPs, [
    { ip: (await runtime.pods()).find((entry) => entry.sandbox.ready && entry.sandbox.pod.name === 'web')!.sandbox.ips[0] },
  ]);
  assert.equal(status!.containerStatuses![0]!.restartCount, 1);
  assert.ok((await events('web')).includes('SandboxChanged: Pod sandbox changed, it will be killed and re-created.'));
});

test('a shorter grace period overtakes a longer one', async () => {
  const { create, pod, clock, client } = await node();
  await create('slow', {}, { 'simulation.keks.dev/stop-delay': '100s' });
  await clock.advance(100);
  await client.delete(pods, { namespace: 'default', name: 'slow' }, { gracePeriodSeconds: 60 });
  await clock.advance(5000);
  assert.equal((await pod('slow'))?.metadata.deletionGracePeriodSeconds, 60);
  await client.delete(pods, { namespace: 'default', name: 'slow' }, { gracePeriodSeconds: 2 });
  await clock.advance(4000);
  assert.equal(await pod('slow'), undefined);
});

test('a sidecar outlives the containers that it serves and a preStop pause counts against the grace period', async () => {
  const { create, pod, clock, client, runtime } = await node();
  const lifecycle = { preStop: { sleep: { seconds: 5 } } };
  await create('web', { initContainers: [container('side', { restartPolicy: 'Always' })], containers: [container('main', { lifecycle })] });
  await clock.advance(100);
  await client.delete(pods, { namespace: 'default', name: 'web' });
  await clock.advance(4000);
  const states = (await runtime.pods()).flatMap(({ containers }) => containers.map(({ name, state }) => `${name} ${state}`));
  assert.deepEqual(states.sort(), ['main running', 'side running']);
  await clock.advance(2000);
  assert.equal(await pod('web'), undefined);
});

test('a pod deleted while its image is being pulled goes at once', async () => {
  const clock = virtualClock();
  const runtime = createSimulatedRuntime({
    clock,
    random: seededRandom(2),
    addresses: addressPool('10.0.1'),
    pullMs: { least: 60_000, most: 60_000 },
  });
  const { create, pod, client } = await node({ clock, runtime });
  await create('web', {});
  await clock.advance(1000);
  assert.equal((await pod('web'))!.status!.containerStatuses![0]!.state!.waiting!.reason, 'ContainerCreating');
  await client.delete(pods, { namespace: 'default', name: 'web' });
  await clock.advance(1000);
  assert.equal(await pod('web'), undefined);
});
