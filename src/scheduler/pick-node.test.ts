// Which node a pod gets, and what is said when it gets none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, PodSpec } from '#api/generated/core-v1.ts';
import { seededRandom } from '#lib/random.ts';
import type { NodeInfo } from './node-info.ts';
import { addPod, createNodeInfo, setNode } from './node-info.ts';
import { feasibleWanted, pickNode } from './pick-node.ts';
import { podInfoOf } from './pod-info.ts';
import type { VolumeLookup } from './plugins/volume-binding.ts';
import { defaultProfile } from './profile.ts';

interface NodeOptions {
  cpu?: string;
  memory?: string;
  pods?: string;
  labels?: Record<string, string>;
  taints?: Node['spec']['taints'];
  unschedulable?: boolean;
  running?: Pod[];
}

function node(name: string, options: NodeOptions = {}): NodeInfo {
  const { cpu = '4', memory = '8Gi', pods = '110', labels = {}, taints, unschedulable, running = [] } = options;
  const info = createNodeInfo(name);
  setNode(info, {
    metadata: { name, labels },
    spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    status: { allocatable: { cpu, memory, pods } },
  });
  for (const pod of running) addPod(info, podInfoOf(pod));
  return info;
}

let uid = 0;
function pod(spec: Partial<PodSpec> = {}, requests?: Record<string, string>): Pod {
  return {
    metadata: { name: `p${++uid}`, namespace: 'default', uid: `uid-${uid}` },
    spec: { containers: [{ name: 'c', ...(requests && { resources: { requests } }) }], ...spec },
  };
}

const noVolumes: VolumeLookup = { claim: () => undefined, volume: () => undefined, storageClass: () => undefined };
const pick = (which: Pod, nodes: NodeInfo[], volumes = noVolumes) =>
  pickNode(podInfoOf(which), nodes, defaultProfile(volumes), seededRandom(1), 0);
const chosen = (which: Pod, nodes: NodeInfo[]) => pick(which, nodes).node?.name;
const message = (which: Pod, nodes: NodeInfo[], volumes = noVolumes) => {
  const result = pick(which, nodes, volumes);
  assert.equal(result.node, undefined);
  return result.message;
};

test('a pod goes to the node with more left', () => {
  const busy = node('busy', { running: [pod({}, { cpu: '3', memory: '6Gi' })] });
  assert.equal(chosen(pod({}, { cpu: '100m', memory: '64Mi' }), [busy, node('free')]), 'free');
});

test('pods that request nothing are spread too', () => {
  const taken = node('taken', { running: [pod(), pod()] });
  assert.equal(chosen(pod(), [taken, node('free', { running: [pod()] })]), 'free');
});

test('no node at all is said so', () => {
  assert.equal(message(pod(), []), 'no nodes available to schedule pods');
});

test('full nodes are counted with their reasons in order', () => {
  const full = node('full', { pods: '1', running: [pod()] });
  assert.equal(message(pod(), [full, node('other', { pods: '1', running: [pod()] })]), '0/2 nodes are available: 2 Too many pods.');
  const small = node('small', { cpu: '100m', memory: '64Mi' });
  assert.equal(
    message(pod({}, { cpu: '1', memory: '1Gi' }), [small, full, node('cordoned', { unschedulable: true })]),
    '0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods, 1 node(s) were unschedulable.',
  );
});

test('a resource that no node has is insufficient', () => {
  assert.equal(message(pod({}, { 'nvidia.com/gpu': '1' }), [node('a')]), '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.');
});

test('taints keep pods away unless tolerated, whatever the operator', () => {
  const tainted = node('a', { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] });
  assert.equal(message(pod(), [tainted]), '0/1 nodes are available: 1 node(s) had untolerated taint(s).');
  for (const toleration of [
    { key: 'dedicated', operator: 'Equal', value: 'db', effect: 'NoSchedule' },
    { key: 'dedicated', operator: 'Exists' },
    { operator: 'Exists' },
  ]) {
    assert.equal(chosen(pod({ tolerations: [toleration] }), [tainted]), 'a');
  }
  assert.equal(chosen(pod({ tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'web' }] }), [tainted]), undefined);
});

test('a PreferNoSchedule taint only makes a node second choice', () => {
  const disliked = node('disliked', { taints: [{ key: 'slow', effect: 'PreferNoSchedule' }] });
  assert.equal(chosen(pod(), [disliked, node('liked')]), 'liked');
  assert.equal(chosen(pod(), [disliked]), 'disliked');
});

test('node selector and required affinity decide, preferred affinity draws', () => {
  const nodes = [node('a', { labels: { zone: 'a', generation: '5' } }), node('b', { labels: { zone: 'b', generation: '7' } })];
  assert.equal(chosen(pod({ nodeSelector: { zone: 'b' } }), nodes), 'b');
  const required = (operator: string, key: string, values?: string[]) =>
    pod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key, operator, ...(values && { values }) }] }],
          },
        },
      },
    });
  assert.equal(chosen(required('In', 'zone', ['a']), nodes), 'a');
  assert.equal(chosen(required('NotIn', 'zone', ['a']), nodes), 'b');
  assert.equal(chosen(required('Gt', 'generation', ['6']), nodes), 'b');
  assert.equal(chosen(required('Lt', 'generation', ['6']), nodes), 'a');
  assert.equal(message(required('Exists', 'gpu'), nodes), "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.");
  const preferred = pod({
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] }] } },
        ],
      },
    },
  });
  assert.equal(chosen(preferred, nodes), 'b');
});

test('two pods do not share a host port', () => {
  const withPort = () => pod({ containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' }] }] });
  const taken = node('a', { running: [withPort()] });
  assert.equal(message(withPort(), [taken]), "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.");
  assert.equal(chosen(withPort(), [taken, node('b')]), 'b');
});

test('init containers count by their largest, sidecars with what runs beside them', () => {
  const asks = (cpu: string) => ({ resources: { requests: { cpu } } });
  const busy = pod({
    initContainers: [
      { name: 'side', restartPolicy: 'Always', ...asks('1') },
      { name: 'init', ...asks('3') },
    ],
    containers: [{ name: 'c', ...asks('2') }],
  });
  assert.equal(podInfoOf(busy).requests['cpu'], 4000);
});

test('a claim that is missing or not bound holds its pod back on every node', () => {
  const claiming = pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] });
  assert.equal(message(claiming, [node('a')]), '0/1 nodes are available: persistentvolumeclaim "data" not found.');
  const unbound = { ...noVolumes, claim: () => ({ metadata: { name: 'data', namespace: 'default' }, spec: {} }) };
  assert.equal(message(claiming, [node('a')], unbound), '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.');
});

test('a bound volume ties its pod to the nodes that can reach it', () => {
  const claiming = pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] });
  const bound: VolumeLookup = {
    ...noVolumes,
    claim: () => ({ metadata: { name: 'data', annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }, spec: { volumeName: 'pv' } }),
    volume: () => ({
      metadata: { name: 'pv' },
      spec: { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] }] }] } } },
    }),
  };
  const [a, b] = [node('a', { labels: { zone: 'a' } }), node('b', { labels: { zone: 'b' } })];
  assert.equal(pick(claiming, [a!, b!], bound).node?.name, 'b');
  assert.equal(message(claiming, [a!], bound), "0/1 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity.");
});

test('of many nodes a share is enough, and the next pod looks at others', () => {
  assert.deepEqual([50, 100, 1000, 5000].map(feasibleWanted), [50, 100, 420, 500]);
  const nodes = Array.from({ length: 1000 }, (_, i) => node(`n${i}`));
  const first = pickNode(podInfoOf(pod()), nodes, defaultProfile(noVolumes), seededRandom(1), 0);
  assert.equal(first.nextStart, 420);
});

test('ties are broken by chance, evenly', () => {
  const nodes = ['a', 'b', 'c'].map((name) => node(name));
  const random = seededRandom(5);
  const counts = new Map<string, number>();
  for (let i = 0; i < 300; i++) {
    const result = pickNode(podInfoOf(pod()), nodes, defaultProfile(noVolumes), random, 0);
    counts.set(result.node!.name, (counts.get(result.node!.name) ?? 0) + 1);
  }
  for (const name of ['a', 'b', 'c']) assert(counts.get(name)! > 60, `${name}: ${counts.get(name)}`);
});
