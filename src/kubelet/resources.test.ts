// Requests and limits as cgroup figures, and what a node refuses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import { refusalOf } from './admission.ts';
import { c, testPod } from './plan.fixture.ts';
import { qosClassOf } from '#api/core/pod-qos.ts';
import { podRequests } from '#api/core/pod-requests.ts';
import { cgroupParentOf, containerResources } from './resources.ts';

const withResources = (requests?: Record<string, string>, limits?: Record<string, string>): Pod =>
  testPod({ containers: [c('main', { resources: { ...(requests && { requests }), ...(limits && { limits }) } })] });

test('quality of service and cgroup follow from requests and limits', () => {
  const both = { cpu: '1', memory: '1Gi' };
  const cases: [Pod, string, string][] = [
    [withResources(), 'BestEffort', '/kubepods/besteffort/podu1'],
    [withResources({ cpu: '1' }), 'Burstable', '/kubepods/burstable/podu1'],
    [withResources(both, both), 'Guaranteed', '/kubepods/podu1'],
    [withResources({ cpu: '1000m', memory: '1024Mi' }, both), 'Guaranteed', '/kubepods/podu1'],
    [withResources(both, { cpu: '2', memory: '1Gi' }), 'Burstable', '/kubepods/burstable/podu1'],
  ];
  for (const [pod, qos, parent] of cases) assert.deepEqual([qosClassOf(pod), cgroupParentOf(pod)], [qos, parent]);
});

test('cpu becomes shares and quota, memory a limit and an out-of-memory score', () => {
  const pod = withResources({ cpu: '250m', memory: '1Gi' }, { cpu: '500m', memory: '2Gi' });
  assert.deepEqual(containerResources(pod, pod.spec.containers[0]!, 4 * 2 ** 30), {
    cpuShares: 256,
    cpuPeriodUs: 100_000,
    cpuQuotaUs: 50_000,
    memoryLimitBytes: 2 * 2 ** 30,
    oomScoreAdj: 750,
    memoryRequestBytes: 2 ** 30,
  });
  const none = withResources();
  assert.deepEqual(containerResources(none, none.spec.containers[0]!, 1), { cpuShares: 2, oomScoreAdj: 1000 });
});

test('a pod counts for its containers or its largest step of initialisation', () => {
  const cpu = (amount: string) => ({ resources: { requests: { cpu: amount } } });
  const pod = testPod({
    initContainers: [c('side', { restartPolicy: 'Always', ...cpu('100m') }), c('big', cpu('900m'))],
    containers: [c('a', cpu('200m')), c('b', cpu('300m'))],
    overhead: { cpu: '10m' },
  });
  assert.deepEqual(podRequests(pod), { cpu: 1010 });
});

test('a node refuses what does not fit, in upstream words', () => {
  const node = { metadata: { name: 'n', labels: { disk: 'ssd' } }, spec: {}, status: { allocatable: { cpu: '1', pods: '2' } } };
  const port = testPod({ containers: [c('main', { ports: [{ containerPort: 80, hostPort: 80 }] })] });
  const refused = (pod: Pod, others: Pod[] = []) => {
    const refusal = refusalOf(pod, others, node);
    return refusal && `${refusal.reason}: ${refusal.message}`;
  };
  assert.equal(refused(testPod()), undefined);
  assert.equal(
    refused(testPod(), [testPod(), testPod()]),
    "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2",
  );
  assert.equal(
    refused(withResources({ cpu: '600m' }), [withResources({ cpu: '600m' })]),
    "OutOfcpu: Node didn't have enough resource: cpu, requested: 600, used: 600, capacity: 1000",
  );
  assert.equal(
    refused(testPod({ nodeSelector: { disk: 'hdd' } })),
    "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  );
  assert.equal(refused(port, [port]), "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports");
});
