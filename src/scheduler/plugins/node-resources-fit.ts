// NodeResourcesFit: what a pod requests must be left on its node; nodes with more left score higher (LeastAllocated).
import { maxScore } from '../framework.ts';
import type { FilterPlugin, ScorePlugin } from '../framework.ts';

export const nodeResourcesFit: FilterPlugin & ScorePlugin = {
  name: 'NodeResourcesFit',
  retryOn: ['node-added', 'node-updated', 'pod-removed'],
  weight: 1,
  normalize: 'as-is',
  filter(pod, node) {
    const reasons: string[] = [];
    if (node.pods.size + 1 > (node.allocatable['pods'] ?? 0)) reasons.push('Too many pods');
    for (const name of Object.keys(pod.requests)) {
      const asked = pod.requests[name]!;
      if (asked > 0 && asked > (node.allocatable[name] ?? 0) - (node.requested[name] ?? 0)) reasons.push(`Insufficient ${name}`);
    }
    return reasons.length > 0 ? reasons : undefined;
  },
  concerns: () => true,
  score(pod, node) {
    const cpu = leftOver(node.nonZero.milliCpu + pod.nonZero.milliCpu, node.allocatable['cpu']);
    const memory = leftOver(node.nonZero.memory + pod.nonZero.memory, node.allocatable['memory']);
    const known = (node.allocatable['cpu'] ? 1 : 0) + (node.allocatable['memory'] ? 1 : 0);
    return known === 0 ? 0 : Math.floor((cpu + memory) / known);
  },
};

function leftOver(requested: number, capacity: number | undefined): number {
  if (!capacity || requested > capacity) return 0;
  return Math.floor(((capacity - requested) * maxScore) / capacity);
}
