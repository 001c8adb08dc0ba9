// Two real nodes on this machine: containers, pod and service addresses, names, exec, adoption by a second daemon, and nothing left behind.
// Needs root, containerd, the CNI plugins, nft and docker-registry.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { endpointslices, nodes, pods, services } from '#api/generated/resources.ts';
import type { Pod, Service } from '#api/generated/core-v1.ts';
import type { NodeSettings } from '#kubelet/node-object.ts';
import { systemClock as clock } from '#lib/clock.ts';
import { silentLog } from '#lib/log.ts';
import { systemRandom as random } from '#lib/random.ts';
import type { Machine } from '#network/machine/machines.ts';
import { removeEverything } from '#network/machine/machines.ts';
import { loadImage } from '#network/registry/load-image.ts';
import { createCluster } from '#testing/create-cluster.ts';
import type { TestCluster } from '#testing/create-cluster.ts';
import { eventually } from '#testing/eventually.ts';
import type { NodeHome } from '#root/src/node-home.ts';
import { openNodeHome } from '#root/src/node-home.ts';
import type { RealNodes } from '#root/src/real-nodes.ts';
import { startRealNodes } from '#root/src/real-nodes.ts';
import { busyboxImage, nginxImage } from '../support/debian-image.ts';
import type { TakenMachine } from '../support/real-nodes.ts';
import { lackedForRealNodes, takeMachine, tracesOf } from '../support/real-nodes.ts';

const serviceCidr = '10.100.0.0/16';

describe('real nodes', { skip: await lackedForRealNodes() }, () => {
  let taken: TakenMachine;
  let home: string;
  let nodeHome: NodeHome;
  let cluster: TestCluster;
  let real: RealNodes;
  let alive: NodeJS.Timeout;

  before(async () => {
    // The project's timers never keep a process alive; a daemon has its sockets for that, a test this.
    alive = setInterval(() => undefined, 1000);
    taken = await takeMachine('keks-node-network-');
    home = await taken.newHome();
    nodeHome = await openNodeHome({ home, clock, log: silentLog });
    for (const file of [await nginxImage(), await busyboxImage()]) await loadImage({ file, registry: nodeHome.registry });
    cluster = await createCluster({ nodes: 0 });
    real = await startNodes();
    await Promise.all([addNode('first'), addNode('second')]);
    await eventually(cluster.client, nodes, {}, (found) => {
      assert.equal(found.length, 2);
      for (const { status } of found) assert.equal(status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
    });
    await cluster.client.create(pods, pod('web-a', 'first', 'nginx'));
    await cluster.client.create(pods, pod('web-b', 'second', 'nginx'));
    await cluster.client.create(pods, pod('shell', 'second', 'busybox', ['sleep', '100000']));
    await running('web-a', 'web-b', 'shell');
  });

  after(async () => {
    try {
      await real?.stop();
      await cluster?.stop();
      await nodeHome?.release();
      await removeEverything({ home, clock });
      assert.deepEqual(await tracesOf(home), []);
    } finally {
      await taken?.release();
      clearInterval(alive);
    }
  });

  const startNodes = () =>
    startRealNodes({
      cluster: cluster.cluster,
      name: 'dev',
      nodeHome,
      clock,
      random,
      logOf: () => silentLog,
      serviceCidr,
      clusterDns: '10.100.0.10',
    });
  const addNode = (id: string): Promise<Machine> => real.add({ id, maxPods: 17, settings: (machine) => settingsOf(id, machine) });
  const podOf = (name: string): Promise<Pod> => cluster.client.get(pods, { namespace: 'default', name });
  const addressOf = async (name: string): Promise<string> => (await podOf(name)).status!.podIP!;
  const running = (...names: string[]) =>
    eventually(
      cluster.client,
      pods,
      { namespace: 'default' },
      (found) => {
        for (const name of names) {
          const status = found.find(({ metadata }) => metadata.name === name)?.status;
          assert.equal(status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True', `${name}: ${JSON.stringify(status)}`);
        }
      },
      60_000,
    );
  const exec = async (name: string, command: string[]): Promise<{ code: number; output: string }> => {
    const connection = cluster.cluster.kubelets.get((await podOf(name)).spec.nodeName!)!.connection;
    const output = new PassThrough();
    const target = { namespace: 'default', pod: name, container: 'main' };
    const collected = text(output);
    const signal = AbortSignal.timeout(30_000);
    const code = await connection.exec(target, { command, tty: false }, { stdout: output, stderr: new PassThrough().resume(), signal });
    output.end();
    return { code, output: await collected };
  };
  const fetchFromShell = async (url: string): Promise<string> => (await exec('shell', ['wget', '-q', '-O', '-', url])).output;

  test('a pod answers the host, and a pod on the other node', async () => {
    const url = `http://${await addressOf('web-a')}/`;
    // Without a readiness probe a pod is Ready before its program listens.
    await eventuallyTrue(async () => /Welcome to nginx!/.test(await (await fetch(url)).text()));
    assert.match(await fetchFromShell(url), /Welcome to nginx!/);
  });

  test('exec carries input, output and the exit code', async () => {
    const connection = cluster.cluster.kubelets.get('second')!.connection;
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const outputs = [text(stdout), text(stderr)];
    stdin.end('from the host');
    const code = await connection.exec(
      { namespace: 'default', pod: 'shell', container: 'main' },
      { command: ['sh', '-c', 'cat; echo oops >&2; exit 7'], tty: false },
      { stdin, stdout, stderr, signal: AbortSignal.timeout(30_000) },
    );
    stdout.end();
    stderr.end();
    assert.equal(code, 7);
    assert.deepEqual(await Promise.all(outputs), ['from the host', 'oops\n']);
  });

  test('exec carries megabytes, and ends when its caller leaves', async () => {
    const { code, output } = await exec('shell', ['dd', 'if=/dev/zero', 'bs=1024', 'count=5000']);
    assert.deepEqual([code, output.length], [0, 5_120_000]);
    const connection = cluster.cluster.kubelets.get('second')!.connection;
    const target = { namespace: 'default', pod: 'shell', container: 'main' };
    const streams = { stdout: new PassThrough().resume(), signal: AbortSignal.timeout(300) };
    await assert.rejects(connection.exec(target, { command: ['sleep', '1000'], tty: false }, streams));
  });

  test('a terminal has its size, and its end', async () => {
    const connection = cluster.cluster.kubelets.get('second')!.connection;
    const stdout = new PassThrough();
    const collected = text(stdout);
    async function* resizes() {
      yield { width: 100, height: 33 };
    }
    const streams = { stdin: new PassThrough(), stdout, resizes: resizes(), signal: AbortSignal.timeout(30_000) };
    const command = ['sh', '-c', 'until stty size | grep 33; do sleep 0.1; done; exit 4'];
    assert.equal(await connection.exec({ namespace: 'default', pod: 'shell', container: 'main' }, { command, tty: true }, streams), 4);
    stdout.end();
    assert.match(await collected, /33 100/);
  });

  test('a port of a pod is forwarded', async () => {
    const connection = cluster.cluster.kubelets.get('first')!.connection;
    const [readable, writable] = [new PassThrough(), new PassThrough()];
    const answer = text(writable);
    readable.write('GET / HTTP/1.0\r\n\r\n');
    await connection.portForward({ namespace: 'default', pod: 'web-a' }, 80, { readable, writable });
    assert.match(await answer, /Welcome to nginx!/);
    const closed = { readable: new PassThrough(), writable: new PassThrough().resume() };
    await assert.rejects(connection.portForward({ namespace: 'default', pod: 'web-a' }, 81, closed), /81/);
  });

  test('a service is reached by name, node port and load balancer address, and spreads over the pods of both nodes', async () => {
    await cluster.client.create(services, service('web', { type: 'LoadBalancer' }));
    const [created] = await eventually(cluster.client, services, { fieldSelector: 'metadata.name=web' }, ([web]) => {
      assert.ok(web?.status?.loadBalancer?.ingress?.[0]?.ip);
    });
    await eventually(cluster.client, endpointslices, { labelSelector: 'kubernetes.io/service-name=web' }, (slices) => {
      assert.equal(slices.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready).length, 2);
    });
    for (const name of ['web-a', 'web-b']) await exec(name, ['sh', '-c', `echo ${name} > /usr/share/nginx/html/who`]);
    await eventuallyTrue(async () => (await fetchFromShell('http://web/who')) !== '');
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) seen.add((await fetchFromShell('http://web.default.svc.cluster.local/who')).trim());
    assert.deepEqual([...seen].sort(), ['web-a', 'web-b']);
    const nodePort = created!.spec.ports![0]!.nodePort!;
    const nodeAddress = (await cluster.client.get(nodes, { name: 'first' })).status!.addresses!.find(
      ({ type }) => type === 'InternalIP',
    )!.address;
    assert.match(await (await fetch(`http://${nodeAddress}:${nodePort}/who`)).text(), /web-[ab]/);
    const balanced = `http://${created!.status!.loadBalancer!.ingress![0]!.ip}/who`;
    await eventuallyTrue(async () => /web-[ab]/.test(await (await fetch(balanced, { signal: AbortSignal.timeout(1000) })).text()));
    assert.match(await fetchFromShell(balanced), /web-[ab]/);
  });

  test('a pod reaches itself through its service', async () => {
    await cluster.client.create(services, { ...service('self'), spec: { ...service('self').spec, selector: { name: 'web-a' } } });
    await eventuallyTrue(async () => /Welcome/.test((await exec('web-a', ['wget', '-q', '-O', '-', 'http://self/'])).output));
  });

  test('a service without endpoints refuses at once', async () => {
    await cluster.client.create(services, { ...service('empty'), spec: { ...service('empty').spec, selector: { name: 'nobody' } } });
    const startMs = clock.monotonicMs();
    await eventuallyTrue(async () => {
      const { code, output } = await exec('shell', ['sh', '-c', 'wget -q -O - http://empty/ 2>&1']);
      return code !== 0 && /refused/.test(output);
    });
    assert.ok(clock.monotonicMs() - startMs < 20_000);
  });

  test("an image that is in no registry fails the pull in containerd's words", async () => {
    await cluster.client.create(pods, pod('nope', 'first', 'nope:1'));
    await eventually(cluster.client, pods, { fieldSelector: 'metadata.name=nope' }, ([found]) => {
      const waiting = found?.status?.containerStatuses?.[0]?.state?.waiting;
      assert.match(waiting?.reason ?? '', /^(ErrImagePull|ImagePullBackOff)$/);
      assert.match(waiting?.message ?? '', /docker\.io\/library\/nope:1/);
    });
    await cluster.client.delete(pods, { namespace: 'default', name: 'nope' }, { gracePeriodSeconds: 0 });
  });

  test('a container that ends is noticed and restarted', async () => {
    await cluster.client.create(pods, pod('short', 'second', 'busybox', ['sh', '-c', 'sleep 1; exit 3']));
    await eventually(cluster.client, pods, { fieldSelector: 'metadata.name=short' }, ([found]) => {
      const status = found?.status?.containerStatuses?.[0];
      assert.equal(status?.lastState?.terminated?.exitCode, 3);
      assert.ok(status.restartCount > 0);
    });
    await cluster.client.delete(pods, { namespace: 'default', name: 'short' }, { gracePeriodSeconds: 0 });
  });

  test("pods cannot reach the registry, nor the runtime's streaming port", async () => {
    const open = async (address: string, port: number) =>
      (await exec('shell', ['sh', '-c', `nc -w 2 ${address} ${port} < /dev/null 2> /dev/null && echo open`])).output.trim() === 'open';
    assert.equal(await open(await addressOf('web-a'), 80), true);
    assert.equal(await open('169.254.170.200', 5000), false);
    assert.equal(await open((await podOf('shell')).status!.hostIP!, 10010), false);
  });

  test('another daemon adopts machines and containers as they are', async () => {
    const before = (await podOf('web-a')).status!.containerStatuses![0]!;
    await real.stop();
    for (const name of ['first', 'second']) await cluster.cluster.removeNode(name);
    await nodeHome.release();
    nodeHome = await openNodeHome({ home, clock, log: silentLog });
    real = await startNodes();
    await Promise.all([addNode('first'), addNode('second')]);
    await running('web-a', 'web-b', 'shell');
    const now = (await podOf('web-a')).status!.containerStatuses![0]!;
    assert.equal(now.containerID, before.containerID);
    assert.equal(now.restartCount, before.restartCount);
    assert.match(await fetchFromShell('http://web/who'), /web-[ab]/);
  });

  test('a containerd that is killed comes back and finds its containers running', async () => {
    const machine = await nodeHome.machines.ensure({ cluster: 'dev', id: 'second', maxPods: 17 });
    const record = JSON.parse(await readFile(join(home, 'machines', 'dev', 'second', 'containerd.pid'), 'utf8')) as { pid: number };
    const before = (await podOf('web-b')).status!.containerStatuses![0]!;
    process.kill(record.pid, 'SIGKILL');
    await eventuallyTrue(async () => (await exec('web-b', ['echo', 'back'])).output === 'back\n');
    assert.equal((await nodeHome.machines.ensure({ cluster: 'dev', id: 'second', maxPods: 17 })).address, machine.address);
    const now = (await podOf('web-b')).status!.containerStatuses![0]!;
    assert.deepEqual([now.containerID, now.restartCount], [before.containerID, before.restartCount]);
  });

  test('a removed node leaves nothing of its machine', async () => {
    await real.remove({ id: 'second', nodeName: 'second' });
    assert.deepEqual(await nodeHome.machines.list('dev'), ['first']);
    const left = (await tracesOf(home)).filter((trace) => trace.includes('second'));
    assert.deepEqual(left, []);
  });
});

function settingsOf(name: string, machine: Machine): NodeSettings {
  return {
    name,
    addresses: [
      { type: 'InternalIP', address: machine.address },
      { type: 'Hostname', address: name },
    ],
    capacity: { cpu: '2', memory: '2Gi', pods: '17', 'ephemeral-storage': '20Gi' },
    kubeletVersion: 'v1.36.0',
  };
}

function pod(name: string, nodeName: string, image: string, command?: string[]): Pod {
  return {
    metadata: { name, namespace: 'default', labels: { app: name.startsWith('web') ? 'web' : name, name } },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image, imagePullPolicy: 'Always', ...(command && { command }) }],
    },
  };
}

function service(name: string, spec: Partial<Service['spec']> = {}): Service {
  return { metadata: { name, namespace: 'default' }, spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 80 }], ...spec } };
}

/** For what no object shows: rules and routes that are on their way. */
async function eventuallyTrue(check: () => Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(15_000);
  while (!(await check().catch(() => false))) await clock.sleep(100, limit);
}
