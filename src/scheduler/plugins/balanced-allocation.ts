// NodeResourcesBalancedAllocation: nodes whose CPU and memory would be used alike score higher.
import { maxScore } from '../framework.ts';
import type { ScorePlugin } from '../framework.ts';

export const balancedAllocation: ScorePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  retryOn: [],
  weight: 1,
  normalize: 'as-is',
  // Upstream skips pods that request nothing: they would always be drawn to the same node.
  concerns: ({ requests }) => (requests['cpu'] ?? 0) > 0 || (requests['memory'] ?? 0) > 0,
  score(pod, node) {
    const cpu = fraction((node.requested['cpu'] ?? 0) + (pod.requests['cpu'] ?? 0), node.allocatable['cpu']);
    const memory = fraction((node.requested['memory'] ?? 0) + (pod.requests['memory'] ?? 0), node.allocatable['memory']);
    // The standard deviation of two fractions.
    return Math.floor((1 - Math.abs(cpu - memory) / 2) * maxScore);
  },
};

function fraction(requested: number, capacity: number | undefined): number {
  return capacity ? Math.min(1, requested / capacity) : 1;
}
