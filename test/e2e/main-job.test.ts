// The main job as a user does it, with real parts: bin/keks, the AWS CLI, kubectl, containerd and an nginx built from Debian's packages.
// One story in the order in which it is told: each test goes on where the one before it ended.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Pod, Service } from '#api/generated/core-v1.ts';
import { systemClock as clock } from '#lib/clock.ts';
import { busyboxImage, nginxImage } from '../support/debian-image.ts';
import type { EksUser } from '../support/eks-user.ts';
import { eksUser } from '../support/eks-user.ts';
import { freePort } from '../support/free-port.ts';
import type { TakenMachine } from '../support/real-nodes.ts';
import { killEverything, lackedForRealNodes, takeMachine, tracesOf } from '../support/real-nodes.ts';
import type { Shell } from '../support/shell.ts';
import { openShell } from '../support/shell.ts';

describe('the main job on real nodes', { skip: await lackedForRealNodes() }, () => {
  let machine: TakenMachine;
  let home: string;
  let port: number;
  let shell: Shell;
  let aws: EksUser;
  let alive: NodeJS.Timeout;

  before(async () => {
    // The project's timers never keep a process alive.
    alive = setInterval(() => undefined, 1000);
    machine = await takeMachine('keks-main-job-');
    home = await machine.newHome();
    port = await freePort();
    shell = await openShell(home, { KEKS_PORT: String(port), KEKS_RUNTIME: 'containerd', KEKS_NODES: '0' });
  });

  after(async () => {
    try {
      await machine?.release();
    } finally {
      clearInterval(alive);
    }
  });

  const kubectl = (...args: (string | object)[]) => shell.run('kubectl', ...args);
  const get = async <T>(...args: string[]): Promise<T> => JSON.parse(await kubectl('get', ...args, '-o', 'json')) as T;
  const podOf = (name: string) => get<Pod>('pod', name);
  const podsOf = async (selector: string) => (await get<{ items: Pod[] }>('pods', '-l', selector)).items;
  const addressOf = async (name: string) => (await podOf(name)).status!.podIP!;
  const apply = (...objects: object[]) => kubectl('apply', '-f', '-', { apiVersion: 'v1', kind: 'List', items: objects });
  const allReady = (...what: string[]) => kubectl('wait', 'pod', '--for=condition=Ready', '--timeout=60s', ...what);
  const wgetFrom = (pod: string, url: string) => kubectl('exec', pod, '--', 'wget', '-q', '-O', '-', url);
  const daemonPid = async () => Number(await readFile(join(home, 'keks.pid'), 'utf8'));

  test('keks doctor finds nothing missing, keks up brings a daemon', async () => {
    assert.match(await shell.run('keks', 'doctor'), /Real nodes \(containerd\) can run here/);
    assert.match(await shell.run('keks', 'up'), /Cluster keks is ACTIVE with 0 Ready containerd nodes/);
    await shell.evalKeksEnv();
    assert.equal(shell.env.AWS_ENDPOINT_URL, `http://127.0.0.1:${port}`);
  });

  test('a cluster with two nodes comes from the AWS CLI', async (t) => {
    aws = await eksUser(shell);
    t.diagnostic(`clusters come through ${aws.how}`);
    await aws.createCluster('main');
    await aws.createNodegroup({ cluster: 'main', name: 'workers', instanceType: 't3.medium', size: 2 });
    const file = join(home, 'aws-kubeconfig');
    await aws.updateKubeconfig('main', file);
    const listed = await kubectl('get', 'nodes', '--kubeconfig', file);
    assert.equal(listed.match(/ Ready /g)?.length, 2, listed);
    // From here on with keks' own tokens: they come quicker than those of the AWS CLI.
    await shell.run('keks', 'up', '--name', 'main');
    assert.equal((await kubectl('config', 'current-context')).trim(), 'main');
  });

  test('kubectl run nginx --image=nginx, and nginx answers', async () => {
    for (const file of [await nginxImage(), await nginxImage('docker.io/library/nginx:next'), await busyboxImage()]) {
      assert.match(await shell.run('keks', 'image', 'load', file), /^Loaded docker\.io\/library\//);
    }
    await kubectl('run', 'nginx', '--image=nginx');
    await allReady('nginx');
    await answers(`http://${await addressOf('nginx')}/`);
    assert.match(await kubectl('exec', 'nginx', '--', 'nginx', '-v'), /^$/); // It writes its version to stderr.
    assert.match((await shell.try('kubectl', 'exec', 'nginx', '--', 'nginx', '-v')).stderr, /nginx version: nginx\/\d/);
    await eventually(async () => assert.match(await kubectl('logs', 'nginx'), /"GET \/ HTTP\/1\.1" 200/));
    assert.match(await kubectl('describe', 'pod', 'nginx'), /Successfully assigned default\/nginx to [^]*Started\s/);
  });

  test('a deployment is created, scaled, updated, rolled back', async () => {
    const images = async () => new Set((await podsOf('app=web')).filter(isLiving).map(({ spec }) => spec.containers[0]!.image));
    await kubectl('create', 'deployment', 'web', '--image=nginx', '--replicas=3');
    assert.match(await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s'), /successfully rolled out/);
    await kubectl('scale', 'deployment/web', '--replicas=4');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    assert.equal((await podsOf('app=web')).filter(isReady).length, 4);
    await kubectl('set', 'image', 'deployment/web', 'nginx=nginx:next');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    await eventually(async () => assert.deepEqual(await images(), new Set(['nginx:next'])));
    await kubectl('rollout', 'undo', 'deployment/web');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    await eventually(async () => assert.deepEqual(await images(), new Set(['nginx'])));
    assert.equal((await podsOf('app=web')).filter(isReady).length, 4);
  });

  test('kubectl get -w shows a pod come up, kubectl delete ends it', async () => {
    const isEnough = (printed: string) => /^late\s+1\/1\s+Running/m.test(printed);
    const following = shell.follow('kubectl', ['get', 'pods', '-w', '--field-selector=metadata.name=late'], isEnough, 30_000);
    await kubectl('run', 'late', '--image=nginx');
    assert.match(await following, /^late\s+0\/1\s+(Pending|ContainerCreating)/m);
    assert.match(await kubectl('delete', 'pod', 'late'), /pod "late" deleted/);
    assert.match((await shell.try('kubectl', 'get', 'pod', 'late')).stderr, /pods "late" not found/);
  });

  test('pods and services are reached from the host, from the other node, and by name', async () => {
    const nodeOfNginx = (await podOf('nginx')).spec.nodeName!;
    const others = (await get<{ items: { metadata: { name: string } }[] }>('nodes')).items.filter(
      ({ metadata }) => metadata.name !== nodeOfNginx,
    );
    await apply(shellPod('visitor', { nodeName: others[0]!.metadata.name }));
    await allReady('visitor');
    assert.match(await wgetFrom('visitor', `http://${await addressOf('nginx')}/`), /Welcome to nginx!/);
    await kubectl('expose', 'deployment', 'web', '--port=80', '--type=NodePort');
    await kubectl('expose', 'deployment', 'web', '--port=80', '--type=LoadBalancer', '--name=balanced');
    await eventually(async () => assert.match(await wgetFrom('visitor', 'http://web/'), /Welcome to nginx!/));
    assert.match(await wgetFrom('visitor', 'http://web.default.svc.cluster.local/'), /Welcome to nginx!/);
    const nodePort = (await get<Service>('service', 'web')).spec.ports![0]!.nodePort!;
    await answers(`http://${(await podOf('nginx')).status!.hostIP}:${nodePort}/`);
    await eventually(async () => {
      const address = (await get<Service>('service', 'balanced')).status?.loadBalancer?.ingress?.[0]?.ip;
      assert.ok(address);
      await answers(`http://${address}/`);
    });
  });

  test('a claim keeps its file when its pod is replaced', async () => {
    const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const keeper = shellPod('keeper', {
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
      mounts: [{ name: 'data', mountPath: '/data' }],
    });
    await apply({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: claim }, keeper);
    await allReady('keeper');
    await kubectl('exec', 'keeper', '--', 'sh', '-c', 'echo kept > /data/file');
    await kubectl('delete', 'pod', 'keeper');
    await apply(keeper);
    await allReady('keeper');
    assert.equal(await kubectl('exec', 'keeper', '--', 'cat', '/data/file'), 'kept\n');
  });

  test('an image that does not exist: ErrImagePull, then ImagePullBackOff', async () => {
    await kubectl('run', 'nope', '--image=localhost:1/nope:1');
    await eventually(async () => {
      const events = await kubectl('get', 'events', '--field-selector=involvedObject.name=nope', '-o', 'custom-columns=M:.message');
      assert.match(events, /Failed to pull image "localhost:1\/nope:1"/);
      assert.match(events, /Error: ErrImagePull/);
      assert.match(events, /Error: ImagePullBackOff/);
    });
    assert.match(await kubectl('get', 'pod', 'nope'), /nope\s+0\/1\s+(ErrImagePull|ImagePullBackOff)/);
    await kubectl('delete', 'pod', 'nope');
  });

  test('a t3.nano runs four pods, the fifth stays Pending', async () => {
    await aws.createNodegroup({ cluster: 'main', name: 'tiny', instanceType: 't3.nano', size: 1 });
    const nodeSelector = { 'eks.amazonaws.com/nodegroup': 'tiny' };
    const names = ['one', 'two', 'three', 'four', 'five'].map((name) => `tiny-${name}`);
    await apply(...names.map((name) => shellPod(name, { nodeSelector, labels: { app: 'tiny' } })));
    await eventually(async () => {
      const found = await podsOf('app=tiny');
      assert.equal(found.filter(isReady).length, 4);
      const [pending, ...more] = found.filter(({ status }) => status?.phase === 'Pending');
      assert.deepEqual(more, []);
      assert.match(
        pending?.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message ?? '',
        /0\/3 nodes are available: 1 Too many pods/,
      );
    });
    await kubectl('delete', 'pods', '-l', 'app=tiny');
    await aws.deleteNodegroup({ cluster: 'main', name: 'tiny' });
    assert.equal((await get<{ items: object[] }>('nodes')).items.length, 2);
  });

  test("one cluster's token does not open another", async () => {
    const server = (await kubectl('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}')).trim();
    const tokenOf = async (name: string) =>
      (JSON.parse(await shell.run('keks', 'token', '--cluster-name', name)) as { status: { token: string } }).status.token;
    const namespacesWith = (token: string) =>
      shell.try(
        'kubectl',
        '--kubeconfig=/dev/null',
        '--insecure-skip-tls-verify',
        `--server=${server}`,
        `--token=${token}`,
        'get',
        'namespaces',
      );
    assert.match((await namespacesWith(await tokenOf('main'))).stdout, /^default /m);
    const refused = await namespacesWith(await tokenOf('keks'));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /You must be logged in to the server \(Unauthorized\)/);
  });

  test('a second keks up changes nothing; keks status tells what there is', async () => {
    const pid = await daemonPid();
    await shell.run('keks', 'up', '--name', 'main');
    assert.equal(await daemonPid(), pid);
    assert.match(await shell.run('keks', 'status'), /^main\s+ACTIVE\s+1\.\d+\s+2\/2\s+https:/m);
  });

  test('a port that is taken is said so, and nothing is started', async () => {
    const other = await machine.newHome();
    const { code, stderr } = await (await openShell(other, { KEKS_PORT: String(port), KEKS_RUNTIME: 'containerd' })).try('keks', 'up');
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`port ${port} is taken by another program; choose another with --port`));
    // The daemon that was refused says so before it ends.
    await eventually(async () => assert.deepEqual(await tracesOf(other), []));
  });

  test('kill -9 of the daemon: containers run on, and the next keks up adopts them', async () => {
    const earlier = containersOf(await get('pods'));
    process.kill(await daemonPid(), 'SIGKILL');
    await answers(`http://${earlier.get('nginx')!.address}/`);
    assert.equal((await shell.try('keks', 'status')).code, 1);
    await shell.run('keks', 'up', '--name', 'main');
    await allReady('--all');
    assert.deepEqual(containersOf(await get('pods')), earlier);
    for (const { restarts } of earlier.values()) assert.equal(restarts, 0);
    assert.match(await wgetFrom('visitor', 'http://web/'), /Welcome to nginx!/);
  });

  test('keks down leaves nothing behind, the next keks up brings the same pods back', async (t) => {
    const earlier = containersOf(await get('pods'));
    const { seconds } = JSON.parse(await shell.run('keks', 'down', '--output', 'json')) as { seconds: number };
    t.diagnostic(`keks down took ${seconds} s with ${earlier.size} pods`);
    assert.deepEqual(await tracesOf(home), []);
    assert.match(await shell.run('keks', 'down'), /keks was not running/);
    await shell.run('keks', 'up', '--name', 'main');
    await backAgain(earlier);
  });

  test('keks down also cleans up after a daemon that was killed', async () => {
    const earlier = containersOf(await get('pods'));
    process.kill(await daemonPid(), 'SIGKILL');
    assert.match(await shell.run('keks', 'down'), /keks is stopped/);
    assert.deepEqual(await tracesOf(home), []);
    await shell.run('keks', 'up', '--name', 'main');
    await backAgain(earlier);
  });

  test('kill -9 of everything, containerd and containers too: the next keks up brings the same pods back', async () => {
    const earlier = containersOf(await get('pods'));
    await killEverything(home);
    await shell.run('keks', 'up', '--name', 'main');
    await backAgain(earlier);
  });

  test('clusters are deleted through the AWS CLI, and keks down leaves nothing', async () => {
    await aws.deleteNodegroup({ cluster: 'main', name: 'workers' });
    await aws.deleteCluster('main');
    assert.deepEqual(
      (JSON.parse(await shell.run('keks', 'status', '-o', 'json')) as { clusters: { name: string }[] }).clusters.map(({ name }) => name),
      ['keks'],
    );
    await shell.run('keks', 'down');
    assert.deepEqual(await tracesOf(home), []);
  });

  /** The same pods, each with its container started once more; files of claims, names and services work. */
  async function backAgain(earlier: Map<string, Container>): Promise<void> {
    await eventually(async () => {
      const now = containersOf(await get('pods'));
      assert.deepEqual([...now.keys()], [...earlier.keys()]);
      for (const [name, { uid, id, restarts, isReady: ready }] of now) {
        const before = earlier.get(name)!;
        assert.deepEqual({ name, uid, restarts, ready }, { name, uid: before.uid, restarts: before.restarts + 1, ready: true });
        assert.notEqual(id, before.id);
      }
    }, 60_000);
    assert.equal(await kubectl('exec', 'keeper', '--', 'cat', '/data/file'), 'kept\n');
    await eventually(async () => assert.match(await wgetFrom('visitor', 'http://web/'), /Welcome to nginx!/));
  }
});

interface Container {
  uid: string;
  id: string;
  restarts: number;
  isReady: boolean;
  address: string;
}

/** By the pod's name; all pods here have one container. */
function containersOf({ items }: { items: Pod[] }): Map<string, Container> {
  return new Map(
    items.map((pod) => {
      const { containerID, restartCount } = pod.status!.containerStatuses![0]!;
      return [
        pod.metadata.name!,
        { uid: pod.metadata.uid!, id: containerID!, restarts: restartCount, isReady: isReady(pod), address: pod.status!.podIP! },
      ];
    }),
  );
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

function isLiving({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp === undefined;
}

interface ShellPod {
  nodeName?: string;
  nodeSelector?: Record<string, string>;
  labels?: Record<string, string>;
  volumes?: object[];
  mounts?: object[];
}

/** A pod that only waits, and ends at once when told. */
function shellPod(name: string, { labels = {}, mounts = [], ...spec }: ShellPod): object {
  const container = { name: 'shell', image: 'busybox', command: ['sleep', '100000'], volumeMounts: mounts };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: { terminationGracePeriodSeconds: 1, containers: [container], ...spec },
  };
}

async function answers(url: string): Promise<void> {
  await eventually(async () => assert.match(await (await fetch(url, { signal: AbortSignal.timeout(2000) })).text(), /Welcome to nginx!/));
}

/** For what a user sees from outside: asks again until it holds, or answers what was wrong the last time. */
async function eventually(check: () => Promise<void>, limitMs = 30_000): Promise<void> {
  const deadlineMs = clock.monotonicMs() + limitMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (clock.monotonicMs() > deadlineMs) throw error;
    }
    await clock.sleep(200);
  }
}
